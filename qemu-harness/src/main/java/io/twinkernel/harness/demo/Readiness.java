package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.console.ConsoleLog;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.qemu.Machine;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits until kernel A serves: Redis answers from outside and its broker has dialled in. */
final class Readiness {

  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final int TAIL = 40;

  private Readiness() {}

  static void await(Machine machine, RestClient control) throws HarnessException {
    InetSocketAddress redis = new InetSocketAddress(Namespace.GUEST, 6379);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean served = false;
    while (true) {
      served = served || RedisFacts.answers(redis);
      if (served && control.nodes().path(0).path("connected").asBoolean()) {
        return;
      }
      if (System.nanoTime() > deadline) {
        throw new HarnessException.Machine(
            "kernel A did not serve within "
                + PATIENCE.toSeconds()
                + " s: "
                + (served ? "its broker did not dial in" : "Redis did not answer")
                + "\nLast lines of its console:\n"
                + ConsoleLog.tail(machine.files().logA(), TAIL));
      }
      pause(machine);
    }
  }

  /** Waits until the broker of the kernel that serves has dialled in as such. */
  static void awaitBroker(Machine machine, RestClient control, Duration patience)
      throws HarnessException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!control.nodes().path(0).path("connected").asBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new HarnessException.Control(
            "the serving kernel's broker did not dial in within " + patience.toSeconds() + " s");
      }
      pause(machine);
    }
  }

  /** There is nothing to wait on for a machine that boots but its own end. */
  private static void pause(Machine machine) throws HarnessException {
    try {
      machine.onExit().get(100, TimeUnit.MILLISECONDS);
    } catch (TimeoutException stillUp) {
      return;
    } catch (ExecutionException failure) {
      throw new HarnessException.Machine("QEMU cannot be watched: " + failure, failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted while kernel A booted", interrupted);
    }
    throw new HarnessException.Machine(
        "QEMU ended while kernel A booted. "
            + machine.said()
            + "\nLast lines of its console:\n"
            + ConsoleLog.tail(machine.files().logA(), TAIL));
  }
}
