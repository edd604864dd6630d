package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class NicenessTest {
  @Test
  void isOfOneThread() throws Exception {
    int before = Niceness.of(0);
    var other =
        new FutureTask<>(
            () -> {
              Niceness.set(0, 19);
              return Niceness.of(0);
            });
    Thread.ofPlatform().start(other);
    assertThat(other.get()).isEqualTo(19);
    assertThat(Niceness.of(0)).isEqualTo(before);
  }

  @Test
  void namesTheThreadThatHasEnded() {
    assertThatThrownBy(() -> Niceness.set(Integer.MAX_VALUE, 5))
        .isInstanceOf(SyscallException.class)
        .hasMessageContaining("setpriority")
        .hasMessageContaining("ESRCH");
  }
}
