package io.twinkernel.rootfs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs programs of the host: apt, dpkg-deb, make, jlink and the like. No shell is involved. What is
 * still running when this JVM ends, or when the calling thread is interrupted, is ended too.
 */
final class Command {
  private static final Set<ProcessHandle> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("end-commands")
                .unstarted(() -> RUNNING.forEach(Command::end)));
  }

  /** What a program left behind: exit status, standard output, standard error. */
  record Result(int status, ByteBuffer output, String errors) {
    String text() {
      return StandardCharsets.UTF_8.decode(output.duplicate()).toString();
    }

    byte[] bytes() {
      byte[] bytes = new byte[output.remaining()];
      output.duplicate().get(bytes);
      return bytes;
    }

    List<String> lines() {
      return text().lines().toList();
    }

    /** The last lines it said, wherever it said them. */
    String tail() {
      List<String> said = (errors.isBlank() ? text() : errors).strip().lines().toList();
      return String.join(" | ", said.subList(Math.max(0, said.size() - 8), said.size()));
    }
  }

  private Command() {}

  /** Runs it in a folder and gives its output; any exit status but 0 is a failure. */
  static Result run(Path folder, Map<String, String> environment, List<String> words)
      throws RootfsException, InterruptedException {
    Result result = attempt(folder, environment, words);
    if (result.status != 0) {
      throw new RootfsException(
          RootfsException.Code.TOOL,
          String.join(" ", words.subList(0, Math.min(4, words.size()))) + " failed",
          "exit status " + result.status + ", " + result.tail(),
          "Mend what it names and run it again.");
    }
    return result;
  }

  static Result run(Path folder, String... words) throws RootfsException, InterruptedException {
    return run(folder, Map.of(), List.of(words));
  }

  /** As {@link #run}, but leaves it to the caller to judge the exit status. */
  static Result attempt(Path folder, Map<String, String> environment, List<String> words)
      throws RootfsException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(words).directory(folder.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(environment);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new RootfsException(
              RootfsException.Code.TOOL,
              "cannot run " + words.getFirst(),
              String.valueOf(e.getMessage()),
              "Run ./twin setup, which installs the programs that are needed.")
          .causedBy(e);
    }
    RUNNING.add(process.toHandle());
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    Thread outputReader = drain(process.getInputStream(), output);
    Thread errorReader = drain(process.getErrorStream(), errors);
    try {
      int status = process.waitFor();
      outputReader.join();
      errorReader.join();
      return new Result(
          status, ByteBuffer.wrap(output.toByteArray()), errors.toString(StandardCharsets.UTF_8));
    } finally {
      if (process.isAlive()) {
        end(process.toHandle());
      }
      RUNNING.remove(process.toHandle());
    }
  }

  private static Thread drain(InputStream from, ByteArrayOutputStream to) {
    return Thread.ofVirtual()
        .start(
            () -> {
              try (from) {
                from.transferTo(to);
              } catch (IOException e) {
                // The process was ended under us: what was read so far is what there is.
                return;
              }
            });
  }

  private static void end(ProcessHandle process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
