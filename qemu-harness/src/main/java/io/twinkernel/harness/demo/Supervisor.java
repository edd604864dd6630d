package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.Main;
import io.twinkernel.harness.net.Reaper;
import io.twinkernel.harness.net.Relay;
import io.twinkernel.harness.net.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The process outside a run's network namespace: makes the namespace, runs the harness once more
 * inside it, and removes it whatever happens. Everything of the run, control plane, client and
 * machine, lives inside.
 *
 * <p>If this process is killed, the one inside gets SIGTERM (prctl(2), PR_SET_PDEATHSIG) and cleans
 * up; if both are, the next run does.
 */
final class Supervisor implements AutoCloseable {

  private static final int GRACE_SECONDS = 15;

  private final RunDirectory run;
  private final List<Relay> relays = new ArrayList<>();
  private final Thread hook = new Thread(this::cleanUp, "clean-up");
  private @Nullable Process inside;
  private boolean cleaned;

  private Supervisor(RunDirectory run) {
    this.run = run;
  }

  /** Cleans up after runs that are gone, then sets a new one up. */
  static Supervisor prepare(Path root) throws HarnessException {
    Reaper.reap(root)
        .forEach(name -> System.err.println("cleaned up after " + name + ", which was killed"));
    RunDirectory run = RunDirectory.create(root);
    Supervisor supervisor = new Supervisor(run);
    Runtime.getRuntime().addShutdownHook(supervisor.hook);
    try {
      run.namespace().create();
    } catch (HarnessException failure) {
      supervisor.close();
      throw failure;
    }
    return supervisor;
  }

  RunDirectory run() {
    return run;
  }

  /**
   * Runs {@code inside} in the namespace and waits for it. Must be called by a thread that lives as
   * long as the run does.
   *
   * @param log where what it says goes; null: where what this process says goes
   * @param mode what is done inside
   * @return its exit code
   */
  int enter(@Nullable Path log, RunMode mode) throws HarnessException {
    List<String> line = new ArrayList<>(run.namespace().enter());
    line.addAll(List.of("setpriv", "--pdeathsig", "TERM", "--"));
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-Xmx1g", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    line.addAll(List.of("inside", run.path().toString()));
    line.addAll(List.of(InsideCommand.MODE, mode.name()));
    ProcessBuilder builder = new ProcessBuilder(line).inheritIO();
    if (log != null) {
      builder.redirectErrorStream(true).redirectOutput(log.toFile());
    }
    try {
      Process process;
      synchronized (this) {
        if (cleaned) {
          throw new HarnessException.Machine("interrupted before the machine was started");
        }
        process = builder.start();
        inside = process;
      }
      return process.waitFor();
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "the harness could not be run in namespace " + run.namespace().name() + ": " + failure,
          failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted while the run went on", interrupted);
    }
  }

  /**
   * Makes a port inside the namespace reachable from outside, on loopback.
   *
   * @param name of the unix socket in the run's directory on which the inside listens
   * @return the port outside
   */
  int expose(String name, int port) throws IOException {
    Relay relay = Relay.outside(port, run.path().resolve(name + ".sock"));
    relays.add(relay);
    Files.writeString(run.path().resolve(name + ".port"), relay.port() + "\n");
    return relay.port();
  }

  private synchronized void cleanUp() {
    if (cleaned) {
      return;
    }
    cleaned = true;
    if (inside != null) {
      end(inside);
    }
    try {
      for (Relay relay : relays) {
        relay.close();
      }
      run.namespace().delete();
      run.delete();
    } catch (HarnessException | IOException failure) {
      System.err.println(
          "the run was not cleaned up: " + failure.getMessage() + "; the next run will try again");
    }
  }

  private static void end(Process process) {
    try {
      process.destroy();
      if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    cleanUp();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook runs, or has run; either way there is nothing left to do.
    }
  }
}
