package io.twinkernel.broker.prestage;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A file that a process has open on the disk which goes over at the switch: until then its copy has
 * a stand-in of the same size open.
 *
 * @param descriptor number in the process
 * @param path of the file
 * @param flags as the process opened it, O_*
 * @param bytes its size when the process was dumped, which CRIU compares
 * @param mode its type and permissions, likewise
 * @param opening by which it is open, if that is another one's: then both have one offset
 */
public record DiskFile(
    int descriptor, String path, int flags, long bytes, int mode, Optional<Opening> opening) {

  /**
   * An opening that another descriptor has as well, of the process or of one that comes before it.
   */
  public record Opening(int pid, int descriptor) {}

  /** What open() did with the file once, and is not to do again. */
  private static final int ONCE = Linux.O_CREAT() | Linux.O_EXCL() | Linux.O_TRUNC();

  static final int PERMISSIONS = 07777;

  static DiskFile of(int pid, int descriptor, String path) throws IOException {
    Path file = Path.of("/proc/" + pid + "/fd/" + descriptor);
    String info = SysFiles.read("/proc/" + pid + "/fdinfo/" + descriptor);
    return new DiskFile(
        descriptor,
        path,
        flags(info) & ~ONCE,
        Files.size(file),
        (int) Files.getAttribute(file, "unix:mode"),
        Optional.empty());
  }

  /** O_* that a descriptor's fdinfo tells. */
  static int flags(String info) throws IOException {
    int at = info.indexOf("flags:\t");
    int end = info.indexOf('\n', at);
    if (at < 0 || end < 0) {
      throw new IOException("no flags in an fdinfo: " + info);
    }
    return Integer.parseInt(info.substring(at + "flags:\t".length(), end).strip(), 8);
  }

  DiskFile by(Opening other) {
    return new DiskFile(descriptor, path, flags, bytes, mode, Optional.of(other));
  }

  boolean closedOnExec() {
    return (flags & Linux.O_CLOEXEC()) != 0;
  }

  int permissions() {
    return mode & PERMISSIONS;
  }

  /** {@link #fromJson} reads it. */
  public Map<String, Object> toJson() {
    return Map.of(
        "descriptor",
        descriptor,
        "path",
        path,
        "flags",
        flags,
        "bytes",
        bytes,
        "mode",
        mode,
        "opening",
        opening.map(other -> List.of(other.pid(), other.descriptor())).orElse(List.of()));
  }

  /** Reads what {@link #toJson} made. */
  public static DiskFile fromJson(Fields file) throws MalformedMessageException {
    return new DiskFile(
        (int) file.number("descriptor"),
        file.text("path"),
        (int) file.number("flags"),
        file.number("bytes"),
        (int) file.number("mode"),
        opening(file.numbers("opening")));
  }

  private static Optional<Opening> opening(List<Integer> numbers) {
    return numbers.size() == 2
        ? Optional.of(new Opening(numbers.getFirst(), numbers.getLast()))
        : Optional.empty();
  }
}
