package io.twinkernel.harness;

import io.twinkernel.harness.console.ConsoleCommand;
import io.twinkernel.harness.demo.DemoCommand;
import io.twinkernel.harness.demo.DoctorCommand;
import io.twinkernel.harness.demo.InsideCommand;
import io.twinkernel.harness.measure.MeasureCommand;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The harness's commands. Exit code 0: all that is promised holds; 1: it does not; 2: an option or
 * this host does not allow it.
 */
@Command(
    name = "twin",
    description = "Moves a running server from one Linux kernel to another without a reboot.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      MeasureCommand.class,
      ConsoleCommand.class,
      DoctorCommand.class,
      InsideCommand.class
    })
public final class Main {

  private Main() {}

  public static void main(String[] arguments) {
    System.exit(
        run(
            new PrintWriter(new OutputStreamWriter(System.err, System.err.charset()), true),
            arguments));
  }

  static int run(PrintWriter errors, String... arguments) {
    return new CommandLine(new Main())
        .setErr(errors)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (failure, commandLine, parsed) -> {
              PrintWriter err = commandLine.getErr();
              if (failure instanceof HarnessException known) {
                err.println(known.getMessage());
                return known.exitCode();
              }
              failure.printStackTrace(err);
              return 1;
            })
        .execute(arguments);
  }
}
