package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
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
 * @param bytes its size when the process was dumped, which CRIU compares; 0 if it was opened since
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

  /** PATH_MAX, in bytes. */
  private static final int MOST_PATH = 4096;

  static final int PERMISSIONS = 07777;

  /** Without its size and mode, which take longer to ask for than all else. */
  static DiskFile of(int descriptor, OpenFile open) throws IOException {
    int flags = flags(new String(open.info(), UTF_8)) & ~ONCE;
    return new DiskFile(descriptor, open.target(), flags, 0, 0, Optional.empty());
  }

  /** With those that it has now. */
  DiskFile asLargeAs(OpenFile open) throws IOException {
    Path file = Path.of("/proc/self/fd/" + open.held().number());
    return new DiskFile(
        descriptor,
        path,
        flags,
        Files.size(file),
        (int) Files.getAttribute(file, "unix:mode"),
        opening);
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

  /** Whether a copy that knows of the other one knows of this. */
  boolean isLike(DiskFile other) {
    return descriptor == other.descriptor
        && path.equals(other.path)
        && flags == other.flags
        && opening.equals(other.opening);
  }

  DiskFile by(Opening other) {
    return new DiskFile(descriptor, path, flags, bytes, mode, Optional.of(other));
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

  void write(DataOutput out) throws IOException {
    out.writeInt(descriptor);
    byte[] name = path.getBytes(UTF_8);
    out.writeInt(name.length);
    out.write(name);
    out.writeInt(flags);
    out.writeLong(bytes);
    out.writeInt(mode);
    out.writeInt(opening.isPresent() ? opening.get().pid() : 0);
    out.writeInt(opening.isPresent() ? opening.get().descriptor() : 0);
  }

  /** Reads what {@link #write} wrote. */
  static DiskFile read(DataInput in) throws IOException {
    return new DiskFile(
        in.readInt(), path(in), in.readInt(), in.readLong(), in.readInt(), opening(in));
  }

  private static String path(DataInput in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > MOST_PATH) {
      throw new IOException("a path of " + length + " bytes");
    }
    byte[] name = new byte[length];
    in.readFully(name);
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString();
  }

  private static Optional<Opening> opening(DataInput in) throws IOException {
    var other = new Opening(in.readInt(), in.readInt());
    if (other.pid() == 0 && other.descriptor() != 0) {
      throw new IOException("a descriptor of no process");
    }
    return other.pid() == 0 ? Optional.empty() : Optional.of(other);
  }

  private static Optional<Opening> opening(List<Integer> numbers) {
    return numbers.size() == 2
        ? Optional.of(new Opening(numbers.getFirst(), numbers.getLast()))
        : Optional.empty();
  }
}
