package io.twinkernel.ffi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FdTest {
  /** linux/sockios.h: how many bytes can be read. */
  private static final long FIONREAD = 0x541b;

  @TempDir Path folder;

  private final Arena arena = Arena.ofAuto();

  @Test
  void whatIsWrittenCanBeRead() throws Exception {
    Path path = folder.resolve("file");
    int create = Linux.O_RDWR() | Linux.O_CREAT() | Linux.O_EXCL();

    try (Fd file = Fd.open(path.toString(), create)) {
      assertThat(file.write(arena.allocateFrom("hello").asSlice(0, 5))).isEqualTo(5);
    }

    assertThat(path).content().isEqualTo("hello");
    assertThat(Files.getPosixFilePermissions(path))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    try (Fd file = Fd.open(path.toString(), Linux.O_RDONLY())) {
      MemorySegment buffer = arena.allocate(16);
      assertThat(file.read(buffer)).isEqualTo(5);
      assertThat(buffer.getString(0)).isEqualTo("hello");
      assertThat(file.read(buffer)).isZero();
    }
  }

  @Test
  void whatDoesNotWaitSaysThatThereIsNothingNow() throws Exception {
    Path path = folder.resolve("pipe");
    new ProcessBuilder("mkfifo", path.toString()).start().waitFor();

    try (Fd both = Fd.open(path.toString(), Linux.O_RDWR() | Linux.O_NONBLOCK())) {
      MemorySegment buffer = arena.allocate(16);
      assertThat(both.readNow(buffer)).isEmpty();
      both.write(arena.allocateFrom("now").asSlice(0, 3));
      assertThat(both.readNow(buffer)).hasValue(3);
      assertThat(buffer.getString(0)).isEqualTo("now");
      assertThat(both.readNow(buffer)).isEmpty();
    }
    try (Fd end = Fd.open(folder.toString(), Linux.O_RDONLY())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> end.readNow(arena.allocate(16)))
          .withMessageContaining("EISDIR");
    }
  }

  @Test
  void aMissingFileIsEnoent() {
    String path = folder.resolve("missing").toString();

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Fd.open(path, Linux.O_WRONLY() | Linux.O_NONBLOCK()))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOENT))
        .withMessage(
            "open(%s, O_WRONLY|O_NONBLOCK): ENOENT (no such file or directory): check the path",
            path);
  }

  @Test
  void anExistingFileIsEexist() throws Exception {
    Path path = Files.createFile(folder.resolve("file"));

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(
            () ->
                Fd.open(
                    path.toString(), Linux.O_RDWR() | Linux.O_CREAT() | Linux.O_EXCL() | 1 << 30))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EEXIST))
        .withMessageContaining("O_RDWR|O_CREAT|O_EXCL|0x40000000");
  }

  @Test
  void closedMeansEbadfAndClosingAgainDoesNothing() throws Exception {
    Fd closed = Fd.open("/dev/null", Linux.O_RDWR());
    int number = closed.number();
    closed.close();

    // The next descriptor gets the same number: a second close must not hit it.
    try (Fd next = Fd.open("/dev/null", Linux.O_RDWR())) {
      assertThat(next.number()).isEqualTo(number);
      closed.close();
      assertThat(next.write(arena.allocate(3))).isEqualTo(3);
    }
    assertThat(closed.number()).isEqualTo(-1);
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> closed.read(arena.allocate(8)))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBADF))
        .withMessageStartingWith("read(/dev/null, 8 bytes): EBADF");
  }

  @Test
  void aClosedNumberUnderneathIsReportedByClose() throws Exception {
    Fd file = Fd.open("/dev/null", Linux.O_RDWR());
    NativeCall.system(Linux.__NR_close(), file.number(), 0, 0, 0);

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(file::close)
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBADF));
  }

  @Test
  void writingWhatIsOpenForReadingIsEbadf() throws Exception {
    try (Fd file = Fd.open("/dev/null", Linux.O_RDONLY())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> file.write(arena.allocate(1)))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBADF));
    }
  }

  @Test
  void anIoctlFillsItsStructure() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      first.write(arena.allocate(7));
      MemorySegment readable = arena.allocate(ValueLayout.JAVA_INT);

      assertThat(second.ioctl(FIONREAD, readable)).isZero();

      assertThat(readable.get(ValueLayout.JAVA_INT, 0)).isEqualTo(7);
    }
  }

  @Test
  void anIoctlThatTheFileDoesNotKnowIsEnotty() throws Exception {
    try (Fd file = Fd.open("/dev/null", Linux.O_RDONLY())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> file.ioctl(0xb700, MemorySegment.NULL))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOTTY))
          .withMessageStartingWith("ioctl(/dev/null, 0xb700): ENOTTY");
    }
  }

  @Test
  void aMappedFileIsTheFile() throws Exception {
    Path path = Files.writeString(folder.resolve("mapped"), "x".repeat(8192));
    int protection = Linux.PROT_READ() | Linux.PROT_WRITE();

    try (Arena mapping = Arena.ofConfined()) {
      MemorySegment memory;
      try (Fd file = Fd.open(path.toString(), Linux.O_RDWR())) {
        memory = file.mmap(4096, protection, Linux.MAP_SHARED(), 4096, mapping);
      }
      assertThat(memory.byteSize()).isEqualTo(4096);
      memory.setString(0, "twin", UTF_8);
      assertThat(Files.readString(path)).startsWith("x".repeat(4096) + "twin\0");
      assertThat(Files.readString(Path.of("/proc/self/maps"))).contains(path.toString());
    }

    assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(path.toString());
  }

  @Test
  void anUnalignedMappingIsEinval() throws Exception {
    try (Fd file = Fd.open("/dev/zero", Linux.O_RDWR())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(
              () -> file.mmap(4096, Linux.PROT_READ(), Linux.MAP_SHARED(), 1, Arena.global()))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EINVAL))
          .withMessage("mmap(/dev/zero, 4096 bytes at 1): EINVAL (invalid argument)");
    }
  }

  @Test
  void memoryThatIsGoneOrMovesNeverReachesTheKernel() throws Exception {
    MemorySegment gone;
    try (Arena closed = Arena.ofConfined()) {
      gone = closed.allocate(8);
    }
    try (Fd file = Fd.open("/dev/zero", Linux.O_RDWR())) {
      assertThatIllegalStateException().isThrownBy(() -> file.read(gone));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> file.read(MemorySegment.ofArray(new byte[8])));
    }
  }

  @Test
  void memoryCannotBeFreedWhileACallUsesIt() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    Arena shared = Arena.ofShared();
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      BlockedThread.Started reader =
          BlockedThread.start(BlockedThread.reading(second), () -> second.read(shared.allocate(8)));

      assertThatIllegalStateException().isThrownBy(shared::close);

      first.write(arena.allocate(8));
      reader.thread().join();
      shared.close();
    }
  }
}
