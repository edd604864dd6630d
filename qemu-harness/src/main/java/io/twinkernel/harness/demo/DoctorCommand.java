package io.twinkernel.harness.demo;

import io.twinkernel.harness.net.RunDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code twin doctor}: says what a run needs and what of it is here. */
@Command(
    name = "doctor",
    description = "Says what a run needs, and what of it this host has.",
    mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {

  private static final int MEMORY = 3072;

  @Override
  public Integer call() throws IOException {
    List<Preflight.Need> needs = Preflight.all(MEMORY, Path.of("."));
    for (Preflight.Need need : needs) {
      System.out.println((need.met() ? "ok       " : "missing  ") + need.what());
      if (!need.met()) {
        System.out.println("         " + need.todo());
      }
    }
    RunDirectory.alive(RunDirectory.root())
        .forEach(run -> System.out.println("running  " + run.namespace().name()));
    return needs.stream().allMatch(Preflight.Need::met) ? 0 : 2;
  }
}
