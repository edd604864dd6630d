package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * How the memory of a process is laid out, for its copy to be laid out likewise.
 *
 * @param pid its number in both kernels
 * @param parts by address; those that adjoin each other differ
 */
public record MemoryShape(int pid, List<Part> parts) {
  private static final int HEADER = 2 * Integer.BYTES;
  private static final int PART = 2 * Long.BYTES;

  // Below the first address, which is that of a page.
  private static final int PROTECTION = 7;
  private static final int KIND = 3;

  /** What memory is. */
  enum Kind {
    /** No file's: mapped by a call alone. */
    ANONYMOUS(0),
    /** Likewise, and up to the process's break, brk(2). */
    HEAP(1),
    /** The kernel's own, which each kernel has of its own. */
    KERNELS(2),
    /** A file's, shared, or the stack: no call makes it. */
    OTHER(3);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    private static Kind of(int code) throws IOException {
      for (Kind kind : KINDS) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw new IOException("no kind of memory: " + code);
    }

    boolean anonymous() {
      return this == ANONYMOUS || this == HEAP;
    }
  }

  // Made once: values() copies.
  private static final Kind[] KINDS = Kind.values();

  /**
   * A range of addresses.
   *
   * @param start its first address
   * @param end the address after its last
   * @param protection PROT_*
   */
  record Part(long start, long end, int protection, Kind kind) {
    /** Whether the other one follows at once and differs in nothing. */
    private boolean isFollowedBy(Part next) {
      return end == next.start && protection == next.protection && kind == next.kind;
    }

    @Override
    public String toString() {
      return Long.toHexString(start)
          + "-"
          + Long.toHexString(end)
          + ((protection & Linux.PROT_READ()) != 0 ? " r" : " -")
          + ((protection & Linux.PROT_WRITE()) != 0 ? "w" : "-")
          + ((protection & Linux.PROT_EXEC()) != 0 ? "x " : "- ")
          + kind;
    }
  }

  /** Keeps the list from changing. */
  public MemoryShape {
    parts = List.copyOf(parts);
  }

  /**
   * That of a process.
   *
   * @param pid of the process that is laid out so, or is to be
   */
  static MemoryShape of(int pid, MemoryMap map) {
    var parts = new ArrayList<Part>();
    for (Area area : map.areas()) {
      // Above the process's half is what the kernel has there for all of them.
      if (area.start() >= 0) {
        add(parts, new Part(area.start(), area.end(), protection(area), kind(area)));
      }
    }
    return new MemoryShape(pid, parts);
  }

  private static void add(List<Part> parts, Part next) {
    if (!parts.isEmpty() && parts.getLast().isFollowedBy(next)) {
      Part last = parts.removeLast();
      parts.add(new Part(last.start(), next.end(), next.protection(), next.kind()));
    } else {
      parts.add(next);
    }
  }

  private static int protection(Area area) {
    String permissions = area.permissions();
    return (permissions.charAt(0) == 'r' ? Linux.PROT_READ() : 0)
        | (permissions.charAt(1) == 'w' ? Linux.PROT_WRITE() : 0)
        | (permissions.charAt(2) == 'x' ? Linux.PROT_EXEC() : 0);
  }

  private static Kind kind(Area area) {
    if (area.kernels()) {
      return Kind.KERNELS;
    }
    if (area.shared() || area.ofFile()) {
      return Kind.OTHER;
    }
    if (area.name().equals("[heap]")) {
      return Kind.HEAP;
    }
    // A kernel may not have the names, or a copy not get them.
    return area.name().isEmpty() || area.name().startsWith("[anon:") ? Kind.ANONYMOUS : Kind.OTHER;
  }

  /** Where the heap ends, as far as it can be seen; 0 if there is none. */
  long heapEnd() {
    for (int i = parts.size() - 1; i >= 0; i--) {
      if (parts.get(i).kind() == Kind.HEAP) {
        return parts.get(i).end();
      }
    }
    return 0;
  }

  /** For the way to the other kernel. */
  public byte[] toBytes() {
    ByteBuffer out = ByteBuffer.allocate(HEADER + PART * parts.size());
    out.putInt(pid);
    out.putInt(parts.size());
    for (Part part : parts) {
      out.putLong(part.start() | (long) part.kind().code << KIND | part.protection());
      out.putLong(part.end());
    }
    return out.array();
  }

  /**
   * Reads what came from the other kernel.
   *
   * @throws IOException if the bytes are not what {@link #toBytes} made
   */
  public static MemoryShape fromBytes(byte[] bytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER) {
      throw new IOException("a layout of memory of " + bytes.length + " bytes");
    }
    int pid = in.getInt();
    int count = in.getInt();
    if (count < 0 || in.remaining() != (long) PART * count) {
      throw new IOException("a layout of " + count + " parts in " + in.remaining() + " bytes");
    }
    var parts = new ArrayList<Part>(count);
    long from = 0;
    for (int left = count; left > 0; left--) {
      Part part = part(in.getLong(), in.getLong());
      if (part.start() < from || part.end() <= part.start()) {
        throw new IOException("a layout of memory out of order at " + part);
      }
      from = part.end();
      parts.add(part);
    }
    return new MemoryShape(pid, parts);
  }

  private static Part part(long first, long end) throws IOException {
    int rest = (int) first & PageScan.PAGE - 1;
    if ((end & PageScan.PAGE - 1) != 0) {
      throw new IOException("a layout of memory with a part that ends within a page");
    }
    return new Part(first & -PageScan.PAGE, end, rest & PROTECTION, Kind.of(rest >>> KIND));
  }
}
