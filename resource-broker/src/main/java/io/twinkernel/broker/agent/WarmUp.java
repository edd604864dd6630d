package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Canary;
import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Does over and over what the gap will do, until it gets no faster: then it is compiled, the
 * kernel's side of it is in the caches (under emulation: translated), and nothing in the gap
 * happens for the first time.
 */
final class WarmUp {
  /** So many times {@code least} at most. */
  private static final int MOST = 3;

  /** Of {@code least} this part in a row without a new best time: it gets no faster. */
  private static final int STEADY = 4;

  private static final double FASTER = 0.95;

  private WarmUp() {}

  /** What is done over and over. */
  @FunctionalInterface
  interface Step {
    void run() throws IOException;
  }

  /** What the caller does in the gap besides, with the canary that flies or without. */
  @FunctionalInterface
  interface Besides {
    void run(Canary canary) throws IOException;
  }

  /**
   * Sends canaries over, and does what else the gap has.
   *
   * @param least so often even if it is steady at once, 1 or more
   */
  static void fly(int least, Besides also) {
    try (var _ = GivingWay.begin();
        var canary = Canary.hatch()) {
      long start = System.nanoTime();
      int flights =
          untilSteady(
              least,
              () -> {
                canary.fly();
                also.run(canary);
              },
              System::nanoTime);
      KernelLog.say(
          "warm after %d flights in %d ms"
              .formatted(flights, (System.nanoTime() - start) / 1_000_000));
      // What is thrown away by now is not to be collected in the gap.
      System.gc();
    } catch (IOException e) {
      // What fails here fails when the copies are made, and says so there.
      KernelLog.say("the canary fell: " + e.getMessage());
    }
  }

  /**
   * Runs a step until it gets no faster.
   *
   * @param least so often even if it is steady at once
   * @param nanos a clock
   * @return how often it ran
   */
  static int untilSteady(int least, Step step, LongSupplier nanos) throws IOException {
    int steady = Math.ceilDiv(least, STEADY);
    long best = Long.MAX_VALUE;
    int runs = 0;
    for (int since = 0; runs < MOST * least && (runs < least || since < steady); runs++) {
      long start = nanos.getAsLong();
      step.run();
      long took = nanos.getAsLong() - start;
      since = took < best * FASTER ? 0 : since + 1;
      best = Math.min(best, took);
    }
    return runs;
  }
}
