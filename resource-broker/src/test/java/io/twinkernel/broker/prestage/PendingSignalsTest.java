package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits for one stopped shell comes to wait for another one. */
final class PendingSignalsTest {
  /** One of those that wait as often as they are sent. */
  private static final int REAL_TIME = 40;

  /** Where a siginfo_t says which process sent it. */
  private static final int SENDER = 16;

  private StoppedShell one;
  private StoppedShell other;
  private ThreadStatus status;
  private StagedProcess copy;

  @BeforeEach
  void start() throws Exception {
    one = StoppedShell.start();
    other = StoppedShell.start();
    status = ThreadStatus.of(one.pid(), List.of(one.pid()), false, Optional.empty());
    copy =
        StagedProcess.hold(other.pid(), List.of(other.pid()), List.of(), List.of(), List.of(), "");
    try (var itself = SourceProcess.follow(other.pid(), "", false)) {
      copy.takeRegisters(itself.registers().orElseThrow());
    }
  }

  @AfterEach
  void end() throws Exception {
    copy.close();
    status.close();
    other.close();
    one.close();
  }

  private void take(Optional<IntervalTimer> timer, List<PendingSignal> signals) throws IOException {
    var delta =
        new ProcessDelta(other.pid(), List.of(), List.of(), List.of(), timer, List.of(), signals);
    copy.take(ProcessDelta.fromBytes(delta.toBytes()), Steps.UNTOLD);
  }

  private List<byte[]> waiting(StoppedShell shell) throws IOException {
    ThreadRegisters.hold(shell.pid());
    try {
      return Ptrace.pendingSignals(shell.pid(), true);
    } finally {
      Ptrace.detach(shell.pid());
    }
  }

  private static String status(StoppedShell shell) throws IOException {
    return SysFiles.read("/proc/" + shell.pid() + "/status");
  }

  @Test
  void theyComeToWaitForTheCopyAsTheyWere() throws Exception {
    Processes.kill(one.pid(), Linux.SIGUSR1());
    Processes.kill(one.pid(), REAL_TIME);
    Processes.kill(one.pid(), REAL_TIME);
    assertThat(status.changed()).isEmpty();
    List<PendingSignal> signals = status.signals();
    assertThat(signals)
        .extracting(PendingSignal::number)
        .containsExactly(Linux.SIGUSR1(), REAL_TIME, REAL_TIME);
    int sender =
        ByteBuffer.wrap(signals.getFirst().info()).order(ByteOrder.nativeOrder()).getInt(SENDER);
    assertThat(sender).isEqualTo((int) ProcessHandle.current().pid());
    String before = status(other);

    take(Optional.empty(), signals);

    assertThat(waiting(other)).containsExactlyElementsOf(waiting(one));
    assertThat(status(other)).contains("State:\tT (stopped)");
    assertThat(mask(status(other))).isEqualTo(mask(before));
  }

  private static String mask(String status) {
    return status.lines().filter(line -> line.startsWith("SigBlk:")).findFirst().orElseThrow();
  }

  @Test
  void nothingIsReadWhereNoneWaits() throws Exception {
    assertThat(status.changed()).isEmpty();
    assertThat(status.signals()).isEmpty();
  }

  @Test
  void whatStopsAProcessIsNoneThatGoesOver() throws Exception {
    Processes.kill(one.pid(), Linux.SIGTSTP());
    assertThat(status.changed()).get().asString().contains("a signal waits");
  }

  @Test
  void aChildsIsNot() throws Exception {
    Processes.kill(one.pid(), Linux.SIGCHLD());
    assertThat(status.changed()).get().asString().contains("a signal waits");
    try (var parent = ThreadStatus.of(one.pid(), List.of(one.pid()), true, Optional.empty())) {
      assertThat(parent.changed()).isEmpty();
      assertThat(parent.signals()).isEmpty();
      Processes.kill(one.pid(), Linux.SIGALRM());
      assertThat(parent.changed()).isEmpty();
      assertThat(parent.signals())
          .extracting(PendingSignal::number)
          .containsExactly(Linux.SIGALRM());
    }
  }

  @Test
  void theTimerStrikesInTheCopy() throws Exception {
    long wait = 50_000_000;
    long from = System.nanoTime();
    take(Optional.of(IntervalTimer.in(wait, 0)), List.of());
    awaitAlarm();
    assertThat(System.nanoTime() - from).isGreaterThanOrEqualTo(wait);
  }

  private void awaitAlarm() throws IOException {
    while (!status(other).contains("\nShdPnd:\t0000000000002000\n")) {
      Thread.onSpinWait();
    }
  }

  @Test
  void oneThatIsOverdueStrikesAtOnce() throws Exception {
    take(Optional.of(IntervalTimer.in(-1_000_000_000, 0)), List.of());
    awaitAlarm();
  }
}
