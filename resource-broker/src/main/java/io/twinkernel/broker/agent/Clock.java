package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;

/** Carries CLOCK_REALTIME from one kernel to the other by means of the TSC. */
record Clock(long tscKhz) {
  private static final int TRIES = 5;

  /** Says in the shared region what time it is; the closest of several readings. */
  void publish(SharedRegion region) throws SyscallException {
    long bestTsc = 0;
    long bestTime = 0;
    long bestSpan = Long.MAX_VALUE;
    for (int i = 0; i < TRIES; i++) {
      long before = Tsc.read();
      long time = Clocks.realtimeNanos();
      long after = Tsc.read();
      if (after - before < bestSpan) {
        bestSpan = after - before;
        bestTsc = before + (after - before) / 2;
        bestTime = time;
      }
    }
    region.publishClock(bestTsc, bestTime);
  }

  /** Sets this kernel's CLOCK_REALTIME to what the other one published. */
  void adopt(SharedRegion region) throws SyscallException {
    Clocks.setRealtime(region.realtimeAt(Tsc.read(), tscKhz));
  }

  /** Milliseconds between two TSC readings. */
  double millis(long fromTsc, long toTsc) {
    return (toTsc - fromTsc) / (double) tscKhz;
  }
}
