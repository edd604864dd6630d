package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Has a stopped tracee open files and put them in the place of others. */
final class FileExchange {
  private final TraceeCalls remote;

  /**
   * @param remote calls of the tracee
   */
  FileExchange(TraceeCalls remote) {
    this.remote = remote;
  }

  /** Puts each file in the place of its descriptor. */
  void exchange(List<DiskFile> files, String directory) throws IOException {
    byte[] before = remote.save();
    try {
      for (DiskFile file : files) {
        exchange(file);
      }
      if (!directory.isEmpty()) {
        remote.call("chdir", directory, Linux.__NR_chdir(), name(directory));
      }
    } finally {
      remote.restore(before);
    }
  }

  private void exchange(DiskFile file) throws IOException {
    long opened = open(file);
    if (opened == file.descriptor()) {
      throw new IOException("descriptor " + opened + " was free, which " + file.path() + " had");
    }
    long flags = file.closedOnExec() ? Linux.O_CLOEXEC() : 0;
    remote.call("dup3", file.path(), Linux.__NR_dup3(), opened, file.descriptor(), flags);
    close(opened, file.path());
  }

  private long open(DiskFile file) throws IOException {
    Optional<DiskFile.Opening> opening = file.opening();
    if (opening.isPresent()) {
      return take(opening.get(), file.path());
    }
    return remote.call("open", file.path(), Linux.__NR_open(), name(file.path()), file.flags(), 0);
  }

  /** Has a descriptor of what another one, or itself, has open. */
  private long take(DiskFile.Opening opening, String path) throws IOException {
    String what = path + " of process " + opening.pid();
    long process = remote.call("pidfd_open", what, Linux.__NR_pidfd_open(), opening.pid(), 0);
    try {
      return remote.call(
          "pidfd_getfd", what, Linux.__NR_pidfd_getfd(), process, opening.descriptor(), 0);
    } finally {
      close(process, what);
    }
  }

  private void close(long descriptor, String what) throws IOException {
    remote.call("close", what, Linux.__NR_close(), descriptor);
  }

  /**
   * Whether it may have what others have open, of which there are stand-ins now.
   *
   * @throws SyscallException EPERM where it is not allowed to, by its rights
   */
  void tryOpenings(List<DiskFile> files) throws IOException {
    for (DiskFile file : files) {
      if (file.opening().isPresent()) {
        close(take(file.opening().get(), file.path()), file.path());
      }
    }
  }

  private long name(String path) throws IOException {
    byte[] name = (path + "\0").getBytes(UTF_8);
    if (name.length > TraceeCalls.ROOM) {
      throw new IOException("a path of " + name.length + " bytes: " + path);
    }
    return remote.put(name);
  }
}
