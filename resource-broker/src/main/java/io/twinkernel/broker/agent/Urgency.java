package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.GapThreads;
import io.twinkernel.ffi.RealTime;
import io.twinkernel.ffi.SyscallException;

/**
 * Which threads go first in the gap, where there are more of them than CPUs: the NIC takes longest,
 * and what it waits for is not to wait for a CPU.
 */
enum Urgency {
  /** Does what comes from the other kernel. */
  BESIDE(1),
  /** Takes it, for all others. */
  LINK(2),
  /** Has the NIC, and all that only one thread can do. */
  SWITCH(3),
  /** Says that this kernel lives, and looks whether the other one does; never for long. */
  PULSE(4);

  private final int priority;

  Urgency(int priority) {
    this.priority = priority;
  }

  /** Of the calling thread, from now on. */
  void begin() {
    try {
      RealTime.begin(priority);
    } catch (SyscallException e) {
      KernelLog.say("the gap will be longer: " + e.getMessage());
    }
  }

  /** Of the threads that work beside it. */
  void beginBeside() {
    try {
      GapThreads.urgent(priority);
    } catch (SyscallException e) {
      KernelLog.say("the gap will be longer: " + e.getMessage());
    }
  }

  /** The calling thread and those that work beside it are like all others again. */
  static void end() {
    try {
      RealTime.end();
      GapThreads.usual();
    } catch (SyscallException e) {
      KernelLog.say("a thread stays urgent: " + e.getMessage());
    }
  }
}
