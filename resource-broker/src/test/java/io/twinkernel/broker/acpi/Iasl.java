package io.twinkernel.broker.acpi;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs Intel's ACPI compiler (Debian package acpica-tools): the judge of our tables. */
final class Iasl {

  private final Path work;

  Iasl(Path work) {
    this.work = work;
  }

  /** Source text of a table. */
  String disassemble(byte[] table) throws IOException, InterruptedException {
    Path aml = Files.write(work.resolve("table.aml"), table);
    String output = run("-d", aml.toString());
    String source = Files.readString(work.resolve("table.dsl"), UTF_8);
    if (output.contains("Error") || output.contains("Invalid") || output.contains("Incorrect")) {
      throw new AssertionError("iasl -d complains:\n" + output);
    }
    return source;
  }

  /** Table made from source text; throws where iasl finds an error or a warning. */
  byte[] compile(String source) throws IOException, InterruptedException {
    Path dsl = Files.writeString(work.resolve("source.dsl"), source, UTF_8);
    String output = run("-p", work.resolve("compiled").toString(), dsl.toString());
    if (output.contains("Error ") || output.contains("Warning ")) {
      throw new AssertionError("iasl complains:\n" + output + source);
    }
    return Files.readAllBytes(work.resolve("compiled.aml"));
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("iasl"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(command + " failed:\n" + output);
    }
    return output;
  }
}
