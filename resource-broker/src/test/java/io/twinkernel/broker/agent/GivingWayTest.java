package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Niceness;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** Of the threads that there are, and of those that are started meanwhile. */
final class GivingWayTest {
  @Test
  void allThreadsGiveWayAndAreAsBeforeThen() throws Exception {
    int before = Niceness.of(0);
    var here = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    var there = new FutureTask<>(() -> Niceness.of(0));
    Thread.ofPlatform()
        .start(
            () -> {
              here.countDown();
              uninterrupted(go);
              there.run();
            });
    here.await();
    var child = new FutureTask<>(() -> Niceness.of(0));
    try (var _ = GivingWay.begin()) {
      assertThat(Niceness.of(0)).isEqualTo(Math.min(before + 10, 19));
      go.countDown();
      assertThat(there.get()).isEqualTo(Niceness.of(0));
      Thread.ofPlatform().start(child);
      assertThat(child.get()).isEqualTo(Niceness.of(0));
    }
    assertThat(Niceness.of(0)).isEqualTo(before);
  }

  @Test
  void oneWithinAnotherLeavesItAsItIs() throws Exception {
    try (var _ = GivingWay.begin()) {
      int outer = Niceness.of(0);
      GivingWay.begin().close();
      assertThat(Niceness.of(0)).isEqualTo(outer);
    }
  }

  private static void uninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
