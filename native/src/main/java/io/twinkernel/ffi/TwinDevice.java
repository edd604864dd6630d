package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_bar;
import io.twinkernel.ffi.bindings.twin_carve;
import io.twinkernel.ffi.bindings.twin_cpu;
import io.twinkernel.ffi.bindings.twin_files;
import io.twinkernel.ffi.bindings.twin_function;
import io.twinkernel.ffi.bindings.twin_info;
import io.twinkernel.ffi.bindings.twin_memory;
import io.twinkernel.ffi.bindings.twin_open;
import io.twinkernel.ffi.bindings.twin_pages;
import io.twinkernel.ffi.bindings.twin_prepare;
import io.twinkernel.ffi.bindings.twin_range;
import io.twinkernel.ffi.bindings.twin_table;
import io.twinkernel.ffi.bindings.twin_thread;
import io.twinkernel.ffi.bindings.twin_threads;
import io.twinkernel.ffi.bindings.twin_timers;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code /dev/twin}, the twin module's device. Every errno's meaning is in twin.h; the exception
 * repeats it with what to do.
 */
public final class TwinDevice implements AutoCloseable {
  /** Where the module puts it. */
  public static final String PATH = "/dev/twin";

  private final Fd device;

  /** Of the extended registers, which are the same for all threads; 0 until that is known. */
  private volatile int extendedSize;

  private TwinDevice(Fd device) {
    this.device = device;
  }

  /** Opens {@link #PATH}. */
  public static TwinDevice open() throws SyscallException {
    return open(PATH);
  }

  static TwinDevice open(String path) throws SyscallException {
    return new TwinDevice(Fd.open(path, Linux.O_RDWR()));
  }

  /** What the module knows; always allowed. */
  public TwinInfo info() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(twin_info.layout());
      twin_info.size(info, (int) info.byteSize());
      call("TWIN_IOC_INFO", Twin.TWIN_IOC_INFO(), info, "");
      return TwinInfo.from(info);
    }
  }

  /**
   * A: takes the region to share from the start of the crash region.
   *
   * @param bytes a multiple of 2 MiB; 0 gives it back
   * @return its physical address
   */
  public long carve(long bytes) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment carve = arena.allocate(twin_carve.layout());
      twin_carve.size(carve, (int) carve.byteSize());
      twin_carve.bytes(carve, bytes);
      call("TWIN_IOC_CARVE", Twin.TWIN_IOC_CARVE(), carve, bytes + " bytes");
      return twin_carve.start(carve);
    }
  }

  /**
   * A: lets a CPU start the loaded crash image when it goes offline next.
   *
   * @param cpu its logical number in this kernel
   */
  public void arm(int cpu) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocate(twin_cpu.layout());
      twin_cpu.size(argument, (int) argument.byteSize());
      twin_cpu.cpu(argument, cpu);
      call("TWIN_IOC_ARM", Twin.TWIN_IOC_ARM(), argument, "CPU " + cpu);
    }
  }

  /** A: the twin is over and its CPU is back, or it never started. */
  public void disarm() throws SyscallException {
    call("TWIN_IOC_DISARM", Twin.TWIN_IOC_DISARM(), MemorySegment.NULL, "");
  }

  /** A: leaves this kernel for good. Returns only by an exception. */
  public void park() throws SyscallException {
    call("TWIN_IOC_PARK", Twin.TWIN_IOC_PARK(), MemorySegment.NULL, "");
  }

  /**
   * B: loads a table and enumerates the PCI buses that it describes; those that {@link #preparePci}
   * has enumerated are given to their drivers.
   *
   * @param ssdt an ACPI SSDT with its header
   */
  public void adoptPci(byte[] ssdt) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(twin_table.layout());
      twin_table.size(table, (int) table.byteSize());
      twin_table.length(table, ssdt.length);
      twin_table.address(table, copy(ssdt, arena).address());
      call("TWIN_IOC_ADOPT_PCI", Twin.TWIN_IOC_ADOPT_PCI(), table, describe(ssdt));
    }
  }

  /**
   * B: enumerates the PCI buses that a table describes, while the other kernel uses them.
   *
   * @param ssdt an ACPI SSDT with its header
   * @param firstBus the first bus that it describes, in segment 0
   * @param lastBus the last one
   * @param bars every base address register there, and ROM
   */
  public void preparePci(byte[] ssdt, int firstBus, int lastBus, List<PciBar> bars)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment array = twin_bar.allocateArray(Math.max(bars.size(), 1), arena);
      for (int i = 0; i < bars.size(); i++) {
        MemorySegment bar = twin_bar.asSlice(array, i);
        twin_bar.address(bar, bars.get(i).function());
        twin_bar.reg(bar, (short) bars.get(i).register());
        twin_bar.wide(bar, (short) (bars.get(i).wide() ? 1 : 0));
        twin_bar.bytes(bar, bars.get(i).bytes());
      }
      MemorySegment prepare = arena.allocate(twin_prepare.layout());
      twin_prepare.size(prepare, (int) prepare.byteSize());
      twin_prepare.length(prepare, ssdt.length);
      twin_prepare.address(prepare, copy(ssdt, arena).address());
      twin_prepare.first_bus(prepare, firstBus);
      twin_prepare.last_bus(prepare, lastBus);
      twin_prepare.bars(prepare, array.address());
      twin_prepare.bar_count(prepare, bars.size());
      String arguments = describe(ssdt) + ", buses " + firstBus + " to " + lastBus;
      call("TWIN_IOC_PREPARE_PCI", Twin.TWIN_IOC_PREPARE_PCI(), prepare, arguments);
    }
  }

  private static MemorySegment copy(byte[] bytes, Arena arena) {
    MemorySegment copy = arena.allocate(Math.max(bytes.length, 1));
    MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return copy;
  }

  private static String describe(byte[] ssdt) {
    return "SSDT of " + ssdt.length + " bytes";
  }

  /**
   * B: takes physical memory as System RAM and puts it online, on NUMA node 0.
   *
   * @param start physical address
   * @param size in bytes
   * @return how many bytes were taken
   */
  public long addMemory(long start, long size) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(twin_memory.layout());
      twin_memory.size(memory, (int) memory.byteSize());
      MemorySegment range = twin_memory.range(memory);
      twin_range.start(range, start);
      twin_range.size(range, size);
      String arguments = new TwinInfo.Range(start, size).toString();
      call("TWIN_IOC_ADD_MEMORY", Twin.TWIN_IOC_ADD_MEMORY(), memory, arguments);
      return twin_memory.added(memory);
    }
  }

  /**
   * A: has a function's driver stop it for the other kernel, and stay bound.
   *
   * @param function PCI address as "0000:83:00.0"
   */
  public void suspendPci(String function) throws SyscallException {
    function("TWIN_IOC_SUSPEND_PCI", Twin.TWIN_IOC_SUSPEND_PCI(), function);
  }

  /**
   * A: has a function's driver, which is no NIC's, stop it for the other kernel and hold back what
   * is asked of it.
   *
   * @param function PCI address as "0000:83:00.0"
   */
  public void freezePci(String function) throws SyscallException {
    function("TWIN_IOC_FREEZE_PCI", Twin.TWIN_IOC_FREEZE_PCI(), function);
  }

  /**
   * A: takes a function back that {@link #suspendPci} or {@link #freezePci} stopped, whatever
   * another kernel did with it.
   *
   * @param function PCI address as "0000:83:00.0"
   */
  public void resumePci(String function) throws SyscallException {
    function("TWIN_IOC_RESUME_PCI", Twin.TWIN_IOC_RESUME_PCI(), function);
  }

  private void function(String name, long request, String function) throws SyscallException {
    // SEGMENT:BUS:DEVICE.FUNCTION, all hexadecimal.
    String[] parts = function.split("[:.]", -1);
    int address =
        Integer.parseInt(parts[0], 16) << 16
            | Integer.parseInt(parts[1], 16) << 8
            | Integer.parseInt(parts[2], 16) << 3
            | Integer.parseInt(parts[3], 16);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocate(twin_function.layout());
      twin_function.size(argument, (int) argument.byteSize());
      twin_function.address(argument, address);
      call(name, request, argument, function);
    }
  }

  /**
   * What a process's pages are, a bit for each, as pagemap says it, in far less time.
   *
   * @param start address of the first page
   * @param own receives which have content of their own; room for whole 64-bit words
   * @param changed receives which of those are soft-dirty; likewise
   */
  public void pages(int pid, long start, int count, MemorySegment own, MemorySegment changed)
      throws SyscallException {
    long bytes = (count + 63L) / 64 * Long.BYTES;
    if (own.byteSize() < bytes || changed.byteSize() < bytes) {
      throw new IllegalArgumentException("no room for the bits of " + count + " pages");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pages = arena.allocate(twin_pages.layout());
      twin_pages.size(pages, (int) pages.byteSize());
      twin_pages.pid(pages, pid);
      twin_pages.start(pages, start);
      twin_pages.count(pages, count);
      twin_pages.own(pages, own.address());
      twin_pages.changed(pages, changed.address());
      String arguments = "process " + pid + ", " + count + " pages";
      call("TWIN_IOC_PAGES", Twin.TWIN_IOC_PAGES(), pages, arguments);
    }
  }

  /**
   * What a process has set by setitimer(2).
   *
   * @param real in how many nanoseconds ITIMER_REAL expires; 0: it is not set, or, with an
   *     interval, its signal waits
   * @param interval after which it does again, each time, likewise; 0: once
   * @param others whether ITIMER_VIRTUAL or ITIMER_PROF is set
   */
  public record Timers(long real, long interval, boolean others) {}

  /** The interval timers of a process. */
  public Timers timers(int pid) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timers = arena.allocate(twin_timers.layout());
      twin_timers.size(timers, (int) timers.byteSize());
      twin_timers.pid(timers, pid);
      call("TWIN_IOC_TIMERS", Twin.TWIN_IOC_TIMERS(), timers, "process " + pid);
      return new Timers(
          twin_timers.real(timers), twin_timers.interval(timers), twin_timers.others(timers) != 0);
    }
  }

  /**
   * A thread of a stopped process.
   *
   * @param general its registers, a {@code user_regs_struct}
   * @param extended the others, as XSAVE stores them
   * @param blocked signals that it blocks; bit n-1 is signal n
   * @param pending those that wait for it alone
   */
  public record StoppedThread(byte[] general, byte[] extended, long blocked, long pending) {}

  /**
   * All threads of a stopped process.
   *
   * @param threads in the order in which they were asked for
   * @param pending signals that wait for the process
   */
  public record StoppedThreads(List<StoppedThread> threads, long pending) {}

  /**
   * Threads of a process that a signal has stopped.
   *
   * @param numbers of all that it has
   * @throws SyscallException ESRCH if it has others, EAGAIN if one is not stopped
   */
  public StoppedThreads threads(int pid, List<Integer> numbers) throws SyscallException {
    try {
      return threads(pid, numbers, extendedSize);
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EMSGSIZE)) {
        return threads(pid, numbers, extendedSize);
      }
      throw e;
    }
  }

  private StoppedThreads threads(int pid, List<Integer> numbers, int extended)
      throws SyscallException {
    int count = numbers.size();
    int general = (int) user_regs_struct.sizeof();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment each = twin_thread.allocateArray(count, arena);
      for (int i = 0; i < count; i++) {
        twin_thread.number(twin_thread.asSlice(each, i), numbers.get(i));
      }
      MemorySegment registers = arena.allocate((long) count * (general + extended), Long.BYTES);
      MemorySegment threads = arena.allocate(twin_threads.layout());
      twin_threads.size(threads, (int) threads.byteSize());
      twin_threads.pid(threads, pid);
      twin_threads.threads(threads, each.address());
      twin_threads.general(threads, registers.address());
      twin_threads.extended(threads, registers.address() + (long) count * general);
      twin_threads.count(threads, count);
      twin_threads.general_size(threads, general);
      twin_threads.extended_size(threads, extended);
      try {
        String arguments = "process " + pid + ", " + count + " threads";
        call("TWIN_IOC_THREADS", Twin.TWIN_IOC_THREADS(), threads, arguments);
      } finally {
        extendedSize = twin_threads.extended_size(threads);
      }
      var read = new ArrayList<StoppedThread>(count);
      for (int i = 0; i < count; i++) {
        MemorySegment one = twin_thread.asSlice(each, i);
        read.add(
            new StoppedThread(
                bytes(registers, (long) i * general, general),
                bytes(registers, (long) count * general + (long) i * extended, extended),
                twin_thread.blocked(one),
                twin_thread.pending(one)));
      }
      return new StoppedThreads(read, twin_threads.pending(threads));
    }
  }

  private static byte[] bytes(MemorySegment memory, long offset, int length) {
    return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /**
   * A file that another process is to have open.
   *
   * @param descriptor by which it has something open now
   * @param file the same open file here
   */
  public record Exchange(int descriptor, Fd file) {}

  /** Has a process that this thread traces, and that stands still, have other files open. */
  public void exchangeFiles(int pid, List<Exchange> files) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment array = twin_open.allocateArray(Math.max(files.size(), 1), arena);
      for (int i = 0; i < files.size(); i++) {
        MemorySegment open = twin_open.asSlice(array, i);
        twin_open.descriptor(open, files.get(i).descriptor());
        twin_open.file(open, files.get(i).file().number());
      }
      MemorySegment exchange = arena.allocate(twin_files.layout());
      twin_files.size(exchange, (int) exchange.byteSize());
      twin_files.pid(exchange, pid);
      twin_files.open(exchange, array.address());
      twin_files.count(exchange, files.size());
      String arguments = "process " + pid + ", " + files.size() + " files";
      call("TWIN_IOC_EXCHANGE_FILES", Twin.TWIN_IOC_EXCHANGE_FILES(), exchange, arguments);
    }
  }

  /**
   * An interface of the service's network.
   *
   * @param number of the interface, in this process's network namespace, which must be the first
   */
  public TwinPort port(int number) {
    return new TwinPort(this, number);
  }

  /** Interrupts the other kernel. */
  public void doorbell() throws SyscallException {
    call("TWIN_IOC_DOORBELL", Twin.TWIN_IOC_DOORBELL(), MemorySegment.NULL, "");
  }

  /**
   * B: the other kernel has parked; this one is the primary from now on. The shared region must not
   * be mapped any more.
   */
  public void promote() throws SyscallException {
    call("TWIN_IOC_PROMOTE", Twin.TWIN_IOC_PROMOTE(), MemorySegment.NULL, "");
  }

  /**
   * B, promoted: sets physical memory aside into which the next twin is loaded.
   *
   * @param start physical address, a multiple of 2 MiB
   * @param size in bytes, likewise
   */
  public void crashRegion(long start, long size) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(twin_memory.layout());
      twin_memory.size(memory, (int) memory.byteSize());
      MemorySegment range = twin_memory.range(memory);
      twin_range.start(range, start);
      twin_range.size(range, size);
      String arguments = new TwinInfo.Range(start, size).toString();
      call("TWIN_IOC_CRASH_REGION", Twin.TWIN_IOC_CRASH_REGION(), memory, arguments);
    }
  }

  /**
   * Maps the whole shared region ({@code struct twin_shared} at its start).
   *
   * @param arena unmaps it when it is closed
   */
  public MemorySegment mapShared(Arena arena) throws SyscallException {
    TwinInfo.Range shared =
        info()
            .shared()
            .orElseThrow(() -> new SyscallException("mmap", device.label(), Errno.ENXIO));
    int protection = Linux.PROT_READ() | Linux.PROT_WRITE();
    return device.mmap(shared.size(), protection, Linux.MAP_SHARED(), 0, arena);
  }

  /**
   * Waits for the other kernel.
   *
   * @return POLLIN: it rang the doorbell; POLLHUP: it has panicked or is silent; 0: time-out
   */
  public int poll(Duration timeout) throws SyscallException {
    return device.poll(Linux.POLLIN(), timeout);
  }

  /** Blocks until the doorbell was rung; returns how often since the last time. */
  public long readDoorbell() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      device.read(count);
      return count.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** A second time does nothing. */
  @Override
  public void close() throws SyscallException {
    device.close();
  }

  void call(String name, long request, MemorySegment argument, String arguments)
      throws SyscallException {
    // EINTR comes from waiting for the module's lock only, before anything is done.
    long result =
        NativeCall.uninterrupted(
            Linux.__NR_ioctl(), device.number(), request, argument.address(), 0, 0, 0, argument);
    if (result < 0) {
      throw SyscallException.of(name, arguments, result);
    }
  }
}
