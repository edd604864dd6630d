package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.client.ConnectionRecord;
import io.twinkernel.harness.client.Dataset;
import io.twinkernel.harness.client.Load;
import io.twinkernel.harness.client.OutsideClient;
import io.twinkernel.harness.console.ConsoleLog;
import io.twinkernel.harness.console.ConsoleSession;
import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.report.Svg;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What there is without us: the same guest with the same Redis under the same load goes to the same
 * kernel by kexec(8), and starts Redis anew, empty. The connections are lost; the gap is the time
 * from the last answer on one of them to the first answer that a new one gets.
 */
final class KexecBaseline {

  /** File in the run's output folder: {@code {"gap_ms": ...}}. */
  static final String FILE = "kexec.json";

  private static final Duration SILENCE = Duration.ofSeconds(60);
  private static final Duration LOADED = Duration.ofMinutes(2);
  private static final Duration BACK = Duration.ofMinutes(5);

  /** A request to connect that gets no answer would be repeated by TCP after a second only. */
  private static final Duration ATTEMPT = Duration.ofMillis(250);

  private static final int TAIL = 25;

  private final RunPlan plan;
  private final Machine machine;
  private final Narrator narrator;
  private final InetSocketAddress redis = new InetSocketAddress(Namespace.GUEST, 6379);

  KexecBaseline(RunPlan plan, Machine machine, Narrator narrator) {
    this.plan = plan;
    this.machine = machine;
    this.narrator = narrator;
  }

  int run() throws HarnessException, IOException {
    Dataset dataset = Dataset.ofMegabytes(System.nanoTime(), plan.megabytes());
    RedisFacts.fill(redis, dataset, SILENCE);
    String before = RedisFacts.runId(redis, SILENCE);
    double gap;
    try (OutsideClient client =
        OutsideClient.start(
            redis,
            dataset,
            Load.of(plan.connections(), Duration.ofMillis(plan.pauseMillis())),
            SILENCE)) {
      load();
      if (!client.awaitCalm(SILENCE)) {
        throw new HarnessException.Service("Redis does not answer before kexec");
      }
      KernelProbe.command(
          machine.files().consoleA(), "(usleep 100000; kexec -e) >/dev/null 2>&1 & true");
      long back = awaitAnother(before);
      gap = (back - lastAnswer(client)) / 1e6;
    }
    String release = KernelProbe.release(machine.files().consoleA());
    if (!release.equals(plan.to())) {
      throw new HarnessException.Machine(
          "kexec went to " + release + ", not to " + plan.to() + ": it is no baseline");
    }
    narrator.say("kexec to " + release + ": no answer for " + Svg.duration(gap));
    Files.writeString(
        Path.of(plan.out()).resolve(FILE),
        new ObjectMapper().writeValueAsString(Map.of("gap_ms", gap, "to", release)));
    return 0;
  }

  /**
   * B's kernel and its initrd with A's configuration, loaded before the gap, as an operator would.
   */
  private void load() throws HarnessException, IOException {
    String initrd = "/tmp/kexec-initrd";
    String command =
        "cp "
            + plan.twinInitrd()
            + " "
            + initrd
            // An uncompressed archive after a compressed one begins at a multiple of four.
            + " && head -c $((3 - ($(stat -c %s "
            + initrd
            + ") + 3) % 4)) /dev/zero >>"
            + initrd
            + " && (cd / && echo etc/twin/node.conf | cpio -o -H newc) 2>/dev/null >>"
            + initrd
            + " && kexec -s -l "
            + plan.twinImage()
            + " --initrd="
            + initrd
            + " --reuse-cmdline && cat /sys/kernel/kexec_loaded";
    try (ConsoleSession console = ConsoleSession.attach(machine.files().consoleA())) {
      String said = console.run(command, LOADED);
      if (!said.endsWith("1")) {
        throw new HarnessException.Machine("kexec did not load " + plan.twinImage() + ": " + said);
      }
    }
  }

  /** Waits for an answer of another Redis than the one before; nothing but asking tells. */
  private long awaitAnother(String before) throws HarnessException {
    long deadline = System.nanoTime() + BACK.toNanos();
    while (System.nanoTime() < deadline) {
      try {
        if (!RedisFacts.runId(redis, ATTEMPT).equals(before)) {
          return System.nanoTime();
        }
      } catch (HarnessException.Service notYet) {
        // Asked again below.
      }
      pause();
    }
    throw new HarnessException.Machine(
        "Redis did not answer within "
            + BACK.toSeconds()
            + " s after kexec\nLast lines of the console:\n"
            + ConsoleLog.tail(machine.files().logA(), TAIL));
  }

  private void pause() throws HarnessException {
    try {
      machine.onExit().get(10, TimeUnit.MILLISECONDS);
    } catch (TimeoutException stillUp) {
      return;
    } catch (ExecutionException failure) {
      throw new HarnessException.Machine("QEMU cannot be watched: " + failure, failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted while kexec went on", interrupted);
    }
    throw new HarnessException.Machine("QEMU ended in kexec. " + machine.said());
  }

  private static long lastAnswer(OutsideClient client) throws HarnessException {
    return client.records().stream()
        .map(ConnectionRecord::samples)
        .filter(samples -> !samples.isEmpty())
        .mapToLong(samples -> samples.getLast().answered())
        .max()
        .orElseThrow(() -> new HarnessException.Service("Redis never answered before kexec"));
  }
}
