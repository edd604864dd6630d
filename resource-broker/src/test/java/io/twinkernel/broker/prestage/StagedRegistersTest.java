package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a shell has in its registers, read and written where it stands. */
final class StagedRegistersTest {
  private Process parent;
  private int pid;
  private SourceProcess source;

  @BeforeEach
  void start() throws Exception {
    // Not a child of this program: the JVM waits for its children, and would be told of their
    // stops.
    String work = "while read word; do echo $word; done";
    parent =
        new ProcessBuilder("/bin/sh", "-c", "exec 3<&0; (" + work + ") <&3 3<&- & echo $!; wait")
            .start();
    pid = Integer.parseInt(parent.inputReader().readLine());
    assertThat(echo("up")).isEqualTo("up");
    stop();
    source = SourceProcess.follow(pid, "", false);
    source.begin();
  }

  @AfterEach
  void end() throws Exception {
    source.close();
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    parent.destroyForcibly();
  }

  private String echo(String word) throws IOException {
    parent.outputWriter().append(word).append('\n').flush();
    return parent.inputReader().readLine();
  }

  private void stop() throws IOException {
    // It waits for the next word before it is stopped: where it stands is where it stood.
    while (!Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") S ")) {
      Thread.onSpinWait();
    }
    Processes.kill(pid, Linux.SIGSTOP());
    while (!Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") T ")) {
      Thread.onSpinWait();
    }
  }

  private StagedProcess hold() throws IOException {
    return StagedProcess.hold(pid, List.of(pid), List.of(), List.of(), List.of(), "");
  }

  private String goOn() throws IOException {
    Processes.kill(pid, Linux.SIGCONT());
    return echo("on");
  }

  @Test
  void aThreadThatSleptOnIsLeftOutAndGoesOn() throws Exception {
    ProcessDelta ahead = source.registers().orElseThrow();
    assertThat(ahead.threads()).hasSize(1);
    source.beginRegisters();
    ProcessDelta rest = source.readRest(Steps.UNTOLD);
    assertThat(rest.threads()).isEmpty();
    try (var staged = hold()) {
      staged.takeRegisters(ProcessDelta.fromBytes(ahead.toBytes()));
      staged.take(ProcessDelta.fromBytes(rest.toBytes()), Steps.UNTOLD);
    }
    assertThat(goOn()).isEqualTo("on");
  }

  @Test
  void aThreadThatIsElsewhereByThenIsNot() throws Exception {
    ProcessDelta ahead = source.registers().orElseThrow();
    // Not what it had when it was read: as if it had run in between.
    byte[] other = ahead.threads().getFirst().registers().clone();
    other[0] ^= 1;
    ThreadState was = ahead.threads().getFirst();
    var wrong = new ThreadState(pid, other, was.extended(), was.signalMask());
    assertThat(wrong.sameAs(was)).isFalse();
    // It runs, and may have come to anything but what the copy has.
    assertThat(goOn()).isEqualTo("on");
    stop();
    source.begin();
    source.beginRegisters();
    ProcessDelta rest = source.readRest(Steps.UNTOLD);
    assertThat(rest.threads()).hasSize(1);
    try (var staged = hold()) {
      staged.takeRegisters(new ProcessDelta(pid, List.of(wrong), List.of(), List.of()));
      staged.take(rest, Steps.UNTOLD);
    }
    assertThat(goOn()).isEqualTo("on");
  }

  @Test
  void registersThatNeverCameAreMissed() throws Exception {
    source.registers();
    source.beginRegisters();
    ProcessDelta rest = source.readRest(Steps.UNTOLD);
    try (var staged = hold()) {
      assertThatThrownBy(() -> staged.take(rest, Steps.UNTOLD))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no registers came for thread " + pid);
      var none = new ProcessDelta(pid, List.of(), List.of(), List.of());
      assertThatThrownBy(() -> staged.takeRegisters(none)).isInstanceOf(IOException.class);
    }
    assertThat(goOn()).isEqualTo("on");
  }

  /** Made again, it would wait for what does not come. */
  @Test
  void aCallThatASignalInterruptsReturns() throws Exception {
    String work = "trap \"echo trapped\" USR1; echo up; read word; echo over";
    String command = "exec 3<&0; (" + work + ") <&3 3<&- & echo $!; wait";
    Process waiting = new ProcessBuilder("/bin/sh", "-c", command).start();
    // Either of the two may be the first to say its line.
    String first = waiting.inputReader().readLine();
    String second = waiting.inputReader().readLine();
    int reader = Integer.parseInt(first.equals("up") ? second : first);
    try {
      while (!Files.readString(Path.of("/proc/" + reader + "/syscall")).startsWith("0 ")) {
        Thread.onSpinWait();
      }
      Processes.kill(reader, Linux.SIGSTOP());
      Canary.awaitStopped(reader);
      Processes.kill(reader, Linux.SIGUSR1());
      try (var followed = SourceProcess.follow(reader, "", false);
          var staged =
              StagedProcess.hold(reader, List.of(reader), List.of(), List.of(), List.of(), "")) {
        followed.begin();
        followed.beginRegisters();
        ProcessDelta state = followed.readRest(Steps.UNTOLD);
        assertThat(state.threads()).hasSize(1);
        staged.take(ProcessDelta.fromBytes(state.toBytes()), Steps.UNTOLD);
      }
      Processes.kill(reader, Linux.SIGCONT());
      assertThat(waiting.inputReader().readLine()).isEqualTo("trapped");
      assertThat(waiting.inputReader().readLine()).isEqualTo("over");
    } finally {
      ProcessHandle.of(reader).ifPresent(ProcessHandle::destroyForcibly);
      waiting.destroyForcibly();
    }
  }
}
