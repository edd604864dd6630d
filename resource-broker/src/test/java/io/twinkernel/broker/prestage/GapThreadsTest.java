package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Needs root: to be urgent is not for everyone. */
final class GapThreadsTest {

  @Test
  @Timeout(60)
  void areUrgentTogetherUntilTheyAreNot() throws Exception {
    try (var threads = Executors.newFixedThreadPool(2, GapThreads.named("test"))) {
      var running = new CountDownLatch(2);
      for (int i = 0; i < 2; i++) {
        threads.execute(running::countDown);
      }
      running.await();
      GapThreads.urgent(1);
      try {
        assertThat(threads.submit(GapThreadsTest::policy).get()).as("SCHED_FIFO").isEqualTo("1");
        assertThat(policy()).as("another thread").isEqualTo("0");
      } finally {
        GapThreads.usual();
      }
      assertThat(threads.submit(GapThreadsTest::policy).get()).isEqualTo("0");
    }
  }

  /** Those that have ended are not asked for. */
  @Test
  @Timeout(60)
  void mayEndWhileTheyAreUrgent() throws Exception {
    Thread thread = GapThreads.named("test").newThread(() -> {});
    thread.start();
    thread.join();
    GapThreads.urgent(1);
    GapThreads.usual();
  }

  private static String policy() throws Exception {
    return ThreadStat.fields("/proc/thread-self/stat")[ThreadStat.POLICY];
  }
}
