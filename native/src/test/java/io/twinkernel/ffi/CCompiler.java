package io.twinkernel.ffi;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The system's C compiler, with the headers that the bindings were made from. */
final class CCompiler {
  /** The module's own folder, where Maven runs the tests. */
  static final Path MODULE = Path.of("").toAbsolutePath();

  static final Path BINDING_HEADERS = MODULE.resolve("src/main/jextract");
  static final Path TWIN_HEADERS = MODULE.resolve("../kernel-patches/twin").normalize();

  private CCompiler() {}

  record Result(int exitCode, String output) {}

  /** Compiles without linking. */
  static Result check(Path folder, String source) throws IOException, InterruptedException {
    return run(compile(folder, source, "-fsyntax-only"));
  }

  /** Compiles, links and runs. */
  static Result run(Path folder, String source) throws IOException, InterruptedException {
    Path program = folder.resolve("program");
    Result compiled = run(compile(folder, source, "-o", program.toString()));
    return compiled.exitCode() == 0 ? run(List.of(program.toString())) : compiled;
  }

  static Result run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }

  private static List<String> compile(Path folder, String source, String... options)
      throws IOException {
    Path file = Files.writeString(folder.resolve("source.c"), source);
    List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-D_GNU_SOURCE"));
    command.addAll(List.of("-I", BINDING_HEADERS.toString()));
    command.addAll(List.of("-I", TWIN_HEADERS.toString()));
    command.addAll(List.of(options));
    command.add(file.toString());
    return command;
  }
}
