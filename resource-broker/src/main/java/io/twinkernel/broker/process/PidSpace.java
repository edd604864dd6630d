package io.twinkernel.broker.process;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;

/**
 * Keeps the PIDs of services and of everything else apart: a process can only be restored under its
 * own PID, so none of the second kernel's threads may have it.
 */
public final class PidSpace {

  private static final String LAST_PID = "/proc/sys/kernel/ns_last_pid";

  /** Below are those of a second kernel's own threads. */
  public static final int FIRST_FREE = 1024;

  /** Up to here they are for what a kernel starts first: {@code RESERVED_PIDS} of kernel/pid.c. */
  public static final int RESERVED = 300;

  private PidSpace() {}

  /**
   * From now on this kernel's numbers are for services: what one starts can move on to the next
   * kernel.
   *
   * @param youngest number that services have had so far: it goes on from there
   */
  public static void leaveToServices(int youngest) throws IOException {
    if (last() >= Math.max(youngest, FIRST_FREE)) {
      return;
    }
    // First: of one that is too large for this kernel it does not hear.
    startAfter(FIRST_FREE);
    if (youngest > FIRST_FREE) {
      startAfter(youngest);
    }
  }

  /**
   * Has the next process or thread get a PID above this one.
   *
   * @param pid at least 300, below which the kernel never wraps
   */
  public static void startAfter(int pid) throws IOException {
    if (pid < RESERVED) {
      throw new IllegalArgumentException("PIDs up to 300 are for what a kernel starts itself");
    }
    SysFiles.write(LAST_PID, Integer.toString(pid));
  }

  /**
   * Has this kernel's own threads get the PIDs below those of services again, after some of these
   * have come: one that a service gets elsewhere must be free here, too.
   */
  public static void backToOwn() throws IOException {
    startAfter(RESERVED);
  }

  /** The PID that was given last. */
  public static int last() throws IOException {
    return Integer.parseInt(SysFiles.read(LAST_PID).strip());
  }
}
