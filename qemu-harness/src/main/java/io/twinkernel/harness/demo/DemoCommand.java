package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code twin demo}: builds what is missing, then runs one upgrade and reports. */
@Command(
    name = "demo",
    description = {
      "Boots a machine with one kernel and Redis, and moves it to another kernel while clients",
      "write and read. Exit code 0: all that is promised holds."
    },
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {

  @Mixin private DemoOptions options = new DemoOptions();

  @Override
  public Integer call() throws HarnessException, IOException, InterruptedException {
    return DemoRun.prepare(options).upgrade();
  }
}
