package io.twinkernel.harness.console;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.net.RunDirectory;
import io.twinkernel.harness.qemu.MachineFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code twin console a|b|c}: a terminal on a kernel's console of a machine that runs now. */
@Command(
    name = "console",
    description = "Attaches to a kernel's console of a machine that runs now; Ctrl-] detaches.",
    mixinStandardHelpOptions = true)
public final class ConsoleCommand implements Callable<Integer> {

  /** Whose console. */
  enum Side {
    A,
    B,
    C
  }

  @Parameters(
      paramLabel = "a|b|c",
      description = "kernel A (ttyS0), kernel B (hvc0), or the one after B (hvc0 too)")
  private Side side = Side.A;

  @Option(names = "--run", description = "which run, where several are up")
  private @Nullable String name;

  @Override
  public Integer call() throws HarnessException, IOException {
    MachineFiles files = new MachineFiles(choose().path());
    Path socket =
        switch (side) {
          case A -> files.consoleA();
          case B -> files.consoleB();
          case C -> files.consoleC();
        };
    System.err.println("attached to " + socket.getFileName() + "; Ctrl-] detaches");
    Attach.to(socket);
    return 0;
  }

  private RunDirectory choose() throws HarnessException, IOException {
    List<RunDirectory> runs =
        RunDirectory.alive(RunDirectory.root()).stream()
            .filter(run -> name == null || run.namespace().name().equals(name))
            .toList();
    if (runs.isEmpty()) {
      throw new HarnessException.Refused(
          name == null ? "no machine is up" : "no machine of the name " + name + " is up",
          "Start one that stays: ./twin demo --keep");
    }
    if (runs.size() > 1) {
      throw new HarnessException.Refused(
          "several machines are up: " + runs.stream().map(run -> run.namespace().name()).toList(),
          "Say which one by --run NAME.");
    }
    return runs.getFirst();
  }
}
