package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.GapThreads;
import io.twinkernel.ffi.Niceness;
import io.twinkernel.ffi.SyscallException;
import java.io.File;
import java.util.ArrayList;

/**
 * What the broker does while the service runs can take its time: its threads, and those of the JVM
 * that work for them, leave the CPU to whoever else wants it.
 */
final class GivingWay implements AutoCloseable {
  /** So much nicer: of ten parts of a CPU that both want, the service has nine. */
  private static final int NICER = 10;

  private static final int NICEST = 19;

  private static final File THREADS = new File("/proc/self/task");

  private final int before;

  private GivingWay(int before) {
    this.before = before;
  }

  /** Begins. */
  static GivingWay begin() {
    try {
      var way = new GivingWay(Niceness.of(0));
      all(Math.min(way.before + NICER, NICEST));
      return way;
    } catch (SyscallException e) {
      KernelLog.say("the service has less of the CPU: " + e.getMessage());
      return new GivingWay(0);
    }
  }

  @Override
  public void close() {
    try {
      all(before);
    } catch (SyscallException e) {
      KernelLog.say("the broker stays slow where CPUs are busy: " + e.getMessage());
    }
  }

  private static void all(int nice) throws SyscallException {
    var threads = new ArrayList<Integer>();
    String[] names = THREADS.list();
    for (String name : names == null ? new String[0] : names) {
      threads.add(Integer.valueOf(name));
    }
    GapThreads.each(threads, thread -> Niceness.set(thread, nice));
  }
}
