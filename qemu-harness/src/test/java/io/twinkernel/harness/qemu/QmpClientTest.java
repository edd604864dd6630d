package io.twinkernel.harness.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The monitor against a real QEMU, which starts in a fraction of a second without a guest. */
final class QmpClientTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path directory;

  private Machine empty() throws Exception {
    MachineFiles files = new MachineFiles(directory);
    return Machine.start(
        qemu(
            "-accel",
            "tcg",
            "-machine",
            "q35",
            "-m",
            "32",
            "-S",
            "-nodefaults",
            "-display",
            "none",
            "-chardev",
            "socket,id=qmp,path=" + files.qmp(),
            "-mon",
            "chardev=qmp,mode=control"),
        files);
  }

  private static List<String> qemu(String... arguments) throws Exception {
    List<String> words = new ArrayList<>(TestEmulator.get().startLine());
    words.addAll(List.of(arguments));
    return words;
  }

  @Test
  void answersCommandsAndTellsEvents() throws Exception {
    try (Machine machine = empty()) {
      QmpClient qmp = machine.qmp();
      assertThat(qmp.execute("query-status", Map.of(), PATIENCE).path("status").asText())
          .isEqualTo("prelaunch");
      qmp.execute("cont", Map.of(), PATIENCE);
      assertThat(qmp.awaitEvent(event -> event.name().equals("RESUME"), PATIENCE).name())
          .isEqualTo("RESUME");
      qmp.execute("stop", Map.of(), PATIENCE);
      qmp.awaitEvent(event -> event.name().equals("STOP"), PATIENCE);
      assertThat(qmp.events()).extracting(QmpEvent::name).containsSubsequence("RESUME", "STOP");
    }
  }

  @Test
  void saysWhatQemuRefused() throws Exception {
    try (Machine machine = empty()) {
      assertThatThrownBy(() -> machine.qmp().execute("no-such-thing", Map.of(), PATIENCE))
          .isInstanceOfSatisfying(
              QmpException.class,
              refusal -> assertThat(refusal.errorClass()).isEqualTo("CommandNotFound"))
          .hasMessageContaining("no-such-thing");
      assertThatThrownBy(
              () -> machine.qmp().awaitEvent(e -> e.name().equals("RESET"), Duration.ofMillis(50)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("50 ms");
    }
  }

  @Test
  void waitersEndWithQemu() throws Exception {
    try (Machine machine = empty()) {
      ProcessHandle.of(machine.pid()).orElseThrow().destroyForcibly();
      assertThatThrownBy(() -> machine.qmp().awaitEvent(e -> false, PATIENCE))
          .hasMessageContaining("ended");
      assertThat(machine.onExit().get(5, TimeUnit.SECONDS).isAlive()).isFalse();
      assertThatThrownBy(() -> machine.qmp().execute("query-status", Map.of(), PATIENCE))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void closingEndsTheProcess() throws Exception {
    Machine machine = empty();
    long pid = machine.pid();
    machine.close();
    assertThat(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false)).isFalse();
  }

  @Test
  void saysWhyQemuDidNotStart() throws Exception {
    MachineFiles files = new MachineFiles(directory);
    List<String> words = qemu("-machine", "no-such-machine");
    assertThatThrownBy(() -> Machine.start(words, files))
        .isInstanceOf(HarnessException.Machine.class)
        .hasMessageContaining("unsupported machine type");
  }

  @Test
  void theMachineThatIsDescribedIsOneThatQemuTakes() throws Exception {
    MachineFiles files = new MachineFiles(directory);
    MachineSpec spec =
        new MachineSpec(
            TestEmulator.get(),
            Path.of("/dev/null"),
            Path.of("/dev/null"),
            "quiet",
            4,
            128,
            Accelerator.TCG,
            "none",
            List.of(),
            java.util.Optional.empty(),
            true);
    List<String> arguments =
        spec.arguments(files).stream()
            // No kernel, and no tap: what is left is the whole rest of the machine.
            .map(word -> word.startsWith("tap,") ? "user,id=service,restrict=on" : word)
            .filter(
                word ->
                    !word.equals("-kernel") && !word.equals("-initrd") && !word.equals("-append"))
            .filter(word -> !word.equals("/dev/null") && !word.equals("quiet"))
            .toList();
    try (Machine machine = Machine.start(arguments, files)) {
      String pci = machine.qmp().execute("query-pci", Map.of(), PATIENCE).toString();
      assertThat(pci).contains("\"bus\":128", "\"rp1\"", "\"rp2\"");
    }
  }
}
