package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.RealTime;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;

/**
 * The threads that do the gap's work beside the one that began it. They can be made urgent all at
 * once: one that is not, and is woken on the CPU of one that is, waits there even if another CPU
 * has nothing to do.
 */
public final class GapThreads {
  private static final Path SELF = Path.of("/proc/thread-self");
  private static final Set<Integer> NUMBERS = ConcurrentHashMap.newKeySet();

  private GapThreads() {}

  /** Makes threads that {@link #urgent} knows of from when they run until they end. */
  public static ThreadFactory named(String name) {
    ThreadFactory daemons = Thread.ofPlatform().name(name + "-", 0).daemon().factory();
    return work -> daemons.newThread(() -> run(work));
  }

  private static void run(Runnable work) {
    int number = number();
    NUMBERS.add(number);
    try {
      work.run();
    } finally {
      NUMBERS.remove(number);
    }
  }

  /** The kernel's number of this thread. */
  private static int number() {
    try {
      return Integer.parseInt(Files.readSymbolicLink(SELF).getFileName().toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those that there are now go before all that are not as urgent, until {@link #usual}. */
  public static void urgent(int priority) throws SyscallException {
    each(NUMBERS, number -> RealTime.begin(number, priority));
  }

  /** They take their turn again. */
  public static void usual() throws SyscallException {
    each(NUMBERS, RealTime::end);
  }

  /** How a thread is scheduled from now on. */
  @FunctionalInterface
  public interface Scheduling {
    /** Sets it for one. */
    void set(int thread) throws SyscallException;
  }

  /** Sets it for threads of this process, as far as they have not ended. */
  public static void each(Collection<Integer> threads, Scheduling scheduling)
      throws SyscallException {
    for (int number : threads) {
      try {
        scheduling.set(number);
      } catch (SyscallException e) {
        // It may have ended just now.
        if (!e.errno().equals(Errno.ESRCH)) {
          throw e;
        }
      }
    }
  }
}
