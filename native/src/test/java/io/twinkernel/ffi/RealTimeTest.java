package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

final class RealTimeTest {
  private static final Path STAT = Path.of("/proc/thread-self/stat");

  @Test
  void aThreadIsUrgentUntilItIsNotAndWhatItStartsNeverIs() throws Exception {
    // A thread of its own, which ends with it.
    try (var thread = Executors.newSingleThreadExecutor()) {
      List<String> seen =
          thread
              .submit(
                  () -> {
                    String before = policy();
                    RealTime.begin(1);
                    String within = policy();
                    String started;
                    try (var other = Executors.newSingleThreadExecutor()) {
                      started = other.submit(RealTimeTest::policy).get();
                    }
                    RealTime.end();
                    return List.of(before, within, started, policy());
                  })
              .get();
      assertThat(seen).containsExactly("0", "1", "0", "0");
    }
  }

  @Test
  void aPriorityThatIsNoneIsSaid() {
    assertThatThrownBy(() -> RealTime.begin(100))
        .isInstanceOf(SyscallException.class)
        .hasMessageContaining("priority 100): EINVAL");
  }

  /** Field 41 of {@code /proc/PID/stat} (proc(5)): 0 is SCHED_OTHER, 1 is SCHED_FIFO. */
  private static String policy() throws Exception {
    String stat = Files.readString(STAT);
    // The second field is a name, which may hold blanks; what follows it begins with the third.
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[41 - 3];
  }
}
