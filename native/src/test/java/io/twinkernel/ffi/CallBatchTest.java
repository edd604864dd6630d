package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CallBatchTest {
  @TempDir Path folder;

  private final Arena arena = Arena.ofAuto();

  @Test
  void makesTheCallsInTheirOrder() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      var batch = new CallBatch(arena, 4, 100);
      int sent = Sockets.send(batch, first, ascii("question"), 0);
      int queued = second.ioctl(batch, Linux.SIOCINQ(), Integer.BYTES);
      int place = batch.room(20);
      int received = Sockets.recv(batch, second, place, 20, 0);
      int empty = second.ioctl(batch, Linux.SIOCINQ(), Integer.BYTES);

      batch.run();

      assertThat(batch.result(sent)).isEqualTo(8);
      assertThat(batch.data().getInt(queued)).isEqualTo(8);
      assertThat(batch.result(received)).isEqualTo(8);
      assertThat(batch.bytes(place, 8)).isEqualTo(ascii("question"));
      assertThat(batch.data().getInt(empty)).isZero();
    }
  }

  @Test
  void aCallIsGivenWhatAnEarlierOneHasWritten() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      Sockets.option(first, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), 77);
      var batch = new CallBatch(arena, 2, 16);
      int level = Linux.SOL_SOCKET();
      int low = Sockets.read(batch, first, level, Linux.SO_RCVLOWAT(), Integer.BYTES);
      Sockets.setOption(batch, second, level, Linux.SO_RCVLOWAT(), low, Integer.BYTES);
      batch.run();
      assertThat(Sockets.option(second, level, Linux.SO_RCVLOWAT())).isEqualTo(77);
    }
  }

  @Test
  void endsWithTheFirstCallThatFails() throws Exception {
    Path path = Files.writeString(folder.resolve("file"), "content");
    try (Fd file = Fd.open(path.toString(), Linux.O_RDONLY())) {
      var batch = new CallBatch(arena, 3, 64);
      int moved = file.seek(batch, 3, Linux.SEEK_SET());
      Sockets.send(batch, file, ascii("to no socket"), 0);
      file.seek(batch, 5, Linux.SEEK_SET());

      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(batch::run)
          .satisfies(failure -> assertThat(failure.errno()).asString().contains("ENOTSOCK"))
          .satisfies(failure -> assertThat(failure.call()).isEqualTo("send"))
          .satisfies(failure -> assertThat(failure.arguments()).contains(path.toString()));
      assertThat(batch.result(moved)).isEqualTo(3);
      assertThat(file.seek(0, Linux.SEEK_CUR())).isEqualTo(3);
    }
  }

  @Test
  void nothingIsDoneWhereNothingIsAsked() throws Exception {
    new CallBatch(arena, 0, 0).run();
  }

  @Test
  void givesOutNoMoreRoomThanItHas() {
    var batch = new CallBatch(arena, 1, 16);
    assertThat(batch.room(3)).isZero();
    assertThat(batch.room(8)).isEqualTo(8);
    assertThatIllegalStateException().isThrownBy(() -> batch.room(1));
  }

  /** The bytes in the class are those that its source is assembled to. */
  @Test
  void isWhatItsSourceSays() throws Exception {
    Path object = folder.resolve("call_batch.o");
    Path code = folder.resolve("call_batch.bin");
    String source = CCompiler.MODULE.resolve("src/main/asm/call_batch.S").toString();
    run("gcc", "-c", source, "-o", object.toString());
    run("objcopy", "-O", "binary", "-j", ".text", object.toString(), code.toString());
    assertThat(CallBatch.CODE).isEqualTo(Files.readAllBytes(code));
  }

  private static void run(String... command) throws Exception {
    CCompiler.Result result = CCompiler.run(List.of(command));
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
