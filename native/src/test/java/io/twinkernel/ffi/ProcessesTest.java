package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.twinkernel.ffi.bindings.Linux;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class ProcessesTest {
  @Test
  void aSignalEndsAProcessAndItsDescriptorTells() throws Exception {
    Process child = new ProcessBuilder("sleep", "600").start();
    int pid = (int) child.pid();
    try (Fd process = Processes.open(pid)) {
      assertThat(process.poll(Linux.POLLIN(), Duration.ZERO)).isZero();
      Processes.kill(pid, 0);

      Processes.kill(pid, Linux.SIGTERM());

      // From Linux 6.9 on POLLHUP comes with it once the parent has waited for the process.
      assertThat(process.poll(Linux.POLLIN(), Duration.ofSeconds(10)) & Linux.POLLIN()).isNotZero();
      assertThat(child.waitFor()).isEqualTo(128 + Linux.SIGTERM());
      assertGone(() -> Processes.signal(process, Linux.SIGKILL()));
    } finally {
      child.destroyForcibly();
    }
    assertGone(() -> Processes.kill(pid, 0));
    assertGone(() -> Processes.open(pid));
  }

  @Test
  void aDescriptorsSignalArrives() throws Exception {
    Process child = new ProcessBuilder("sleep", "600").start();
    try (Fd process = Processes.open((int) child.pid())) {
      Processes.signal(process, Linux.SIGKILL());

      assertThat(child.waitFor()).isEqualTo(128 + Linux.SIGKILL());
    } finally {
      child.destroyForcibly();
    }
  }

  @Test
  void aSignalThatLinuxDoesNotHaveIsEinval() {
    int self = (int) ProcessHandle.current().pid();

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Processes.kill(self, 99))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EINVAL))
        .withMessageStartingWith("kill(%d, 99): EINVAL".formatted(self));
  }

  private static void assertGone(ThrowingCallable call) {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(call)
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ESRCH))
        .withMessageEndingWith("there is no such process (any more)");
  }

  @Test
  void whoHasEndedIsNotSignalledAndNoFailure() throws Exception {
    Process sleeper = new ProcessBuilder("sleep", "infinity").start();
    int pid = (int) sleeper.pid();
    try (Fd process = Processes.open(pid)) {
      assertThat(Processes.killIfThere(pid, 0)).isTrue();
      assertThat(Processes.signalIfThere(process, 0)).isTrue();
      sleeper.destroyForcibly().waitFor();
      assertThat(Processes.signalIfThere(process, Linux.SIGSTOP())).isFalse();
      assertThat(Processes.killIfThere(pid, 0)).isFalse();
      int self = (int) ProcessHandle.current().pid();
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Processes.killIfThere(self, 1000))
          .withMessageContaining("EINVAL");
    } finally {
      sleeper.destroyForcibly();
    }
  }
}
