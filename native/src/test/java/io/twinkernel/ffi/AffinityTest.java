package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

final class AffinityTest {
  @Test
  void aThreadStaysWhereItIsPutAndTheOthersDoNot() throws Exception {
    BitSet all = Affinity.get();
    BitSet last = new BitSet();
    last.set(all.length() - 1);
    // A thread of its own, which ends with it.
    try (var thread = Executors.newSingleThreadExecutor()) {
      BitSet after =
          thread
              .submit(
                  () -> {
                    Affinity.set(last);
                    return Affinity.get();
                  })
              .get();
      assertThat(after).isEqualTo(last);
    }
    assertThat(Affinity.get()).isEqualTo(all);
  }

  @Test
  void anotherProcessStaysWhereItIsPut() throws Exception {
    BitSet last = new BitSet();
    last.set(Affinity.get().length() - 1);
    Process process = new ProcessBuilder("sleep", "infinity").start();
    try {
      Affinity.set((int) process.pid(), last);
      assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/status")))
          .contains("Cpus_allowed_list:\t" + (last.length() - 1) + "\n");
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThatThrownBy(() -> Affinity.set((int) process.pid(), last))
        .isInstanceOf(SyscallException.class)
        .hasMessageContaining("ESRCH");
  }

  @Test
  void aCpuThatIsNotThereIsSaid() throws Exception {
    BitSet none = new BitSet();
    none.set(
        Integer.parseInt(Files.readString(Path.of("/sys/devices/system/cpu/kernel_max")).strip()));
    assertThatThrownBy(() -> Affinity.set(none))
        .isInstanceOf(SyscallException.class)
        .hasMessageContaining("sched_setaffinity({" + (none.length() - 1) + "}): EINVAL");
  }
}
