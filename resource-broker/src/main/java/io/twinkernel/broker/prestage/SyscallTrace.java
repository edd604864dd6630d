package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The system calls and births that an instance of tracefs has recorded, from its buffers as they
 * are: to have the kernel put a busy process's calls in words takes it longer than to make them.
 *
 * <p>A page of a buffer has a time stamp, the length of what follows with two flags, and events. Of
 * an event the first 5 bits say its length, or that it is none (include/linux/ring_buffer.h,
 * kernel/trace/ring_buffer.c); {@code events/header_page}, {@code header_event} and the event's
 * {@code format} say the same in words.
 */
final class SyscallTrace implements AutoCloseable {
  private static final int PAGE = 4096;
  private static final int LENGTH = 8;
  private static final int EVENTS = 16;

  // RB_MISSED_EVENTS and RB_MISSED_STORED.
  private static final int LOST = 1 << 31;
  private static final int LENGTH_MASK = (1 << 30) - 1;

  // Values of the first 5 bits.
  private static final int LONG_DATA = 0;
  private static final int PADDING = 29;
  private static final int TIME_EXTEND = 30;
  private static final int TIME_STAMP = 31;
  private static final int TYPE_BITS = 5;

  // Of raw_syscalls:sys_enter, as its format says.
  private static final List<String> FORMAT =
      List.of(
          "unsigned short common_type;\toffset:0;\tsize:2;",
          "int common_pid;\toffset:4;\tsize:4;",
          "long id;\toffset:8;\tsize:8;",
          "unsigned long args[6];\toffset:16;\tsize:48;");
  private static final List<String> PAGE_FORMAT =
      List.of("commit;\toffset:8;\tsize:8;", "data;\toffset:16;\tsize:4080;");
  private static final int CALLER = 4;
  private static final int ID = 8;
  private static final int ARGUMENTS = 16;
  private static final int SIZE = 64;

  private static final Pattern PARENT = number("parent_pid");
  private static final Pattern CHILD = number("child_pid");

  /**
   * What is recorded.
   *
   * @param calls the type of {@code raw_syscalls:sys_enter}
   * @param births that of {@code sched:sched_process_fork}
   * @param parent where that has its parent's number
   * @param child where that has its child's
   */
  record Events(int calls, int births, int parent, int child) {}

  private final List<Fd> buffers;
  private final Events events;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment room = arena.allocate(PAGE, Long.BYTES);
  // Walked in the heap: a compiler of little ambition makes of each access to a segment a call.
  private final byte[] bytes = new byte[PAGE];
  private final ByteBuffer page = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());

  private SyscallTrace(List<Fd> buffers, Events events) {
    this.buffers = buffers;
    this.events = events;
  }

  private static Pattern number(String field) {
    return Pattern.compile("field:pid_t " + field + ";\toffset:(\\d+);\tsize:4;");
  }

  /**
   * @param instance of tracefs, in which nothing is recorded but {@code raw_syscalls:sys_enter} and
   *     {@code sched:sched_process_fork}
   * @throws Unstageable if this kernel records them otherwise
   */
  static SyscallTrace open(Path instance) throws IOException {
    Path event = instance.resolve("events/raw_syscalls/sys_enter");
    check(event.resolve("format"), FORMAT);
    check(instance.resolve("events/header_page"), PAGE_FORMAT);
    Path birth = instance.resolve("events/sched/sched_process_fork");
    String format = SysFiles.read(birth.resolve("format").toString());
    var events = new Events(type(event), type(birth), place(PARENT, format), place(CHILD, format));
    try (var opened = new Opened();
        var cpus = Files.newDirectoryStream(instance.resolve("per_cpu"), "cpu*")) {
      var buffers = new ArrayList<Fd>();
      for (Path cpu : cpus) {
        int flags = Linux.O_RDONLY() | Linux.O_NONBLOCK();
        buffers.add(opened.add(Fd.open(cpu.resolve("trace_pipe_raw").toString(), flags)));
      }
      opened.keep();
      return new SyscallTrace(List.copyOf(buffers), events);
    }
  }

  private static int type(Path event) throws IOException {
    return Integer.parseInt(SysFiles.read(event.resolve("id").toString()).strip());
  }

  private static int place(Pattern field, String format) throws Unstageable {
    Matcher found = field.matcher(format);
    if (!found.find()) {
      throw new Unstageable("this kernel has no '" + field + "' in what it says of births");
    }
    return Integer.parseInt(found.group(1));
  }

  private static void check(Path format, List<String> wanted) throws IOException {
    String said = SysFiles.read(format.toString());
    for (String field : wanted) {
      if (!said.contains(field)) {
        throw new Unstageable("this kernel has no '" + field + "' in " + format);
      }
    }
  }

  /**
   * Takes all that is recorded.
   *
   * @param traced receives it
   * @return whether more had been than the buffers held
   */
  boolean take(Traced traced) throws IOException {
    boolean lost = false;
    for (Fd buffer : buffers) {
      // Nothing there is the usual case, and no exception: to throw one takes longer than to look.
      int count = buffer.readNow(room).orElse(0);
      while (count > 0) {
        MemorySegment.copy(room, 0, MemorySegment.ofArray(bytes), 0, PAGE);
        lost |= parse(page, events, traced);
        count = buffer.readNow(room).orElse(0);
      }
    }
    return lost;
  }

  /**
   * Reads a page.
   *
   * @return whether events before it were lost
   * @throws IOException if it is none
   */
  static boolean parse(ByteBuffer page, Events events, Traced traced) throws IOException {
    int length = page.getInt(LENGTH);
    int end = EVENTS + (length & LENGTH_MASK);
    if (end > page.limit()) {
      throw new IOException("a page of a trace with " + end + " bytes");
    }
    int at = EVENTS;
    while (at + Integer.BYTES <= end) {
      int header = page.getInt(at);
      int kind = header & (1 << TYPE_BITS) - 1;
      at += Integer.BYTES;
      if (kind == TIME_EXTEND || kind == TIME_STAMP) {
        at += Integer.BYTES;
        continue;
      }
      if (kind == PADDING && header >>> TYPE_BITS == 0) {
        // Nothing follows on this page.
        break;
      }
      boolean told = kind == LONG_DATA || kind == PADDING;
      int size = told ? told(page, at, end) : kind * Integer.BYTES;
      int data = kind == LONG_DATA ? at + Integer.BYTES : at;
      at += size;
      if (at > end) {
        throw new IOException("an event of " + size + " bytes at the end of a page of a trace");
      }
      if (kind != PADDING) {
        read(page, data, at, events, traced);
      }
    }
    return (length & LOST) != 0;
  }

  private static void read(ByteBuffer page, int at, int end, Events events, Traced traced) {
    if (end - at < Short.BYTES) {
      return;
    }
    int type = Short.toUnsignedInt(page.getShort(at));
    if (type == events.calls() && end - at >= SIZE) {
      traced.calls().add(call(page, at));
    } else if (type == events.births()
        && end - at >= Math.max(events.parent(), events.child()) + Integer.BYTES) {
      traced
          .births()
          .add(new Birth(page.getInt(at + events.parent()), page.getInt(at + events.child())));
    }
  }

  /** A length that stands before what it is the length of, itself included. */
  private static int told(ByteBuffer page, int at, int end) throws IOException {
    int size = at + Integer.BYTES <= end ? page.getInt(at) : 0;
    if (size < Integer.BYTES || size > end - at) {
      throw new IOException("an event of " + size + " bytes in a trace");
    }
    return size;
  }

  private static SystemCall call(ByteBuffer page, int at) {
    int arguments = at + ARGUMENTS;
    return new SystemCall(
        page.getInt(at + CALLER),
        (int) page.getLong(at + ID),
        page.getLong(arguments),
        page.getLong(arguments + Long.BYTES),
        page.getLong(arguments + 2 * Long.BYTES),
        page.getLong(arguments + 3 * Long.BYTES));
  }

  @Override
  public void close() throws IOException {
    arena.close();
    for (Fd buffer : buffers) {
      buffer.close();
    }
  }
}
