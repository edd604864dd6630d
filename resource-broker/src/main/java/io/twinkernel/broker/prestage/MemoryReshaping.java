package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.ReshapingPlan.Action;
import io.twinkernel.broker.prestage.ReshapingPlan.Step;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.List;

/**
 * Gives a stopped tracee the layout of memory that its process has, by calls in its name. What it
 * holds where both have the same memory it keeps; all that is mapped for it holds zeros, and what
 * nobody could touch before holds what its file does, or zeros.
 */
final class MemoryReshaping {
  /** For what is said of calls that fail; the range is put in words only then. */
  private static final String SUBJECT = "memory";

  private final RemoteCall remote;
  private final MemoryShape wanted;

  private MemoryReshaping(RemoteCall remote, MemoryShape wanted) {
    this.remote = remote;
    this.wanted = wanted;
  }

  /**
   * Reshapes it. It may be anything in between if that fails.
   *
   * @param remote makes calls in its name
   * @param wanted names it, too
   * @throws IOException also if it is not laid out as wanted afterwards
   */
  static void apply(RemoteCall remote, MemoryShape wanted) throws IOException {
    new MemoryReshaping(remote, wanted).run();
  }

  private void run() throws IOException {
    MemoryShape had = shape();
    List<Step> steps = ReshapingPlan.of(had, wanted);
    // The break is lowered while there is memory below it, without which some kernels refuse to,
    // and raised to where others' memory has gone.
    long heap = heapToBe(had);
    long now = heap == 0 ? 0 : remote.call("brk", SUBJECT, Linux.__NR_brk(), 0);
    if (heap < now) {
      moveBreak(heap);
      steps = left();
    }
    unmap(steps);
    if (heap > aligned(now)) {
      moveBreak(heap);
      steps = left();
      unmap(steps);
    }
    for (Step step : steps) {
      if (step.action() != Action.UNMAP) {
        make(step);
      }
    }
    steps = left();
    if (!steps.isEmpty()) {
      throw new IOException("its memory is not as wanted yet: " + steps.getFirst());
    }
  }

  private void unmap(List<Step> steps) throws IOException {
    for (Step step : steps) {
      if (step.action() == Action.UNMAP) {
        make(step);
      }
    }
  }

  private List<Step> left() throws IOException {
    return ReshapingPlan.of(shape(), wanted);
  }

  private MemoryShape shape() throws IOException {
    return MemoryShape.of(wanted.pid(), MemoryMap.read(wanted.pid()));
  }

  /** Where the break is to be; 0 if it is there as far as can be seen, for it may be in a page. */
  private long heapToBe(MemoryShape had) throws IOException {
    long end = wanted.heapEnd();
    if (end == had.heapEnd()) {
      return 0;
    }
    if (end != 0) {
      return end;
    }
    String stat = "/proc/" + wanted.pid() + "/stat";
    return Long.parseUnsignedLong(ThreadStat.fields(stat)[ThreadStat.START_OF_HEAP]);
  }

  private static long aligned(long address) {
    return (address + PageScan.PAGE - 1) & -PageScan.PAGE;
  }

  private void moveBreak(long to) throws IOException {
    // It says where it is then, and not why it is not elsewhere.
    long is = remote.call("brk", SUBJECT, Linux.__NR_brk(), to);
    if (is != to) {
      throw new IOException(
          "its heap ends at %x and cannot be made to end at %x".formatted(is, to));
    }
  }

  private void make(Step step) throws IOException {
    long call = remote.instruction();
    if (step.start() <= call && call < step.end()) {
      throw new IOException("what makes the calls is in the way: " + step);
    }
    try {
      call(step);
    } catch (SyscallException e) {
      throw new IOException("its memory cannot be as wanted: " + step + ": " + e.getMessage(), e);
    }
  }

  private void call(Step step) throws SyscallException {
    long start = step.start();
    long bytes = step.end() - start;
    switch (step.action()) {
      case UNMAP -> remote.call("munmap", SUBJECT, Linux.__NR_munmap(), start, bytes);
      case MAP -> map(step, Linux.MAP_FIXED_NOREPLACE());
      case REPLACE -> map(step, Linux.MAP_FIXED());
      case PROTECT -> protect(step);
      case OPEN -> {
        protect(step);
        int drop = Linux.MADV_DONTNEED();
        remote.call("madvise", SUBJECT, Linux.__NR_madvise(), start, bytes, drop);
      }
    }
  }

  /**
   * Without a reservation, which is all that MAP_NORESERVE changes for the process: it has one in
   * the other kernel, or did not need one. A kernel that overcommits nothing ignores the flag.
   */
  private void map(Step step, int where) throws SyscallException {
    remote.call(
        "mmap",
        SUBJECT,
        Linux.__NR_mmap(),
        step.start(),
        step.end() - step.start(),
        step.protection(),
        Linux.MAP_PRIVATE() | Linux.MAP_ANONYMOUS() | Linux.MAP_NORESERVE() | where,
        -1,
        0);
  }

  private void protect(Step step) throws SyscallException {
    long bytes = step.end() - step.start();
    int protection = step.protection();
    remote.call("mprotect", SUBJECT, Linux.__NR_mprotect(), step.start(), bytes, protection);
  }
}
