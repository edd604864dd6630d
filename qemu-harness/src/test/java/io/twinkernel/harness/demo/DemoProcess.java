package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A demonstration as a user starts it, in a process of its own. */
final class DemoProcess implements AutoCloseable {

  /** An emulated run on a busy host. */
  static final Duration PATIENCE = Duration.ofMinutes(15);

  private static final Pattern RUN =
      Pattern.compile("http://127\\.0\\.0\\.1:([0-9]+), event bus bridge on port ([0-9]+)");

  private final Process process;
  private final Path out;
  private final List<String> lines = new ArrayList<>();

  private DemoProcess(Process process, Path out) {
    this.process = process;
    this.out = out;
    Thread.ofVirtual().start(this::read);
  }

  static DemoProcess start(Path out, String... options) throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "demo",
                "--out",
                out.toString(),
                "--rest-port",
                "0",
                "--bridge-port",
                "0"));
    line.addAll(List.of(options));
    return new DemoProcess(new ProcessBuilder(line).redirectErrorStream(true).start(), out);
  }

  /** One that is soon done: clients that ask less often, and a gap that is practised less. */
  static DemoProcess brief(Path out, String... options) throws IOException {
    List<String> all = new ArrayList<>(List.of("--pause", "100", "--practice", "4"));
    all.addAll(List.of(options));
    return start(out, all.toArray(String[]::new));
  }

  private void read() {
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        System.out.println(line);
        synchronized (lines) {
          lines.add(line);
          lines.notifyAll();
        }
      }
    } catch (IOException ended) {
      // It was killed.
    }
    synchronized (lines) {
      lines.add("(ended)");
      lines.notifyAll();
    }
  }

  /** Waits for a line that the pattern is found in. */
  Matcher await(Pattern wanted) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    synchronized (lines) {
      for (int seen = 0; ; ) {
        for (; seen < lines.size(); seen++) {
          Matcher matcher = wanted.matcher(lines.get(seen));
          if (matcher.find()) {
            return matcher;
          }
          if (lines.get(seen).equals("(ended)")) {
            throw new AssertionError(
                "the demonstration ended before it said "
                    + wanted
                    + ":\n"
                    + String.join("\n", lines));
          }
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
          throw new AssertionError(
              "the demonstration did not say " + wanted + ":\n" + String.join("\n", lines));
        }
        lines.wait(left);
      }
    }
  }

  /** The port of the event bus bridge, on this host's loopback. */
  int bridgePort() throws InterruptedException {
    return Integer.parseInt(await(RUN).group(2));
  }

  /** Waits for its end. */
  int exitCode() throws InterruptedException {
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("the demonstration did not end:\n" + output());
    }
    return process.exitValue();
  }

  String output() {
    synchronized (lines) {
      return String.join("\n", lines);
    }
  }

  JsonNode report() throws IOException {
    return new ObjectMapper().readTree(out.resolve("report.json").toFile());
  }

  /** The upgrade's events as its journal has them. */
  List<JsonNode> journal() throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> events = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("events.jsonl"))) {
      JsonNode event = json.readTree(line).path("event");
      if (!event.isMissingNode()) {
        events.add(event);
      }
    }
    return events;
  }

  /** What kernel A lent kernel B of its memory. */
  long lentBytes() throws IOException {
    return journal().stream()
        .filter(event -> event.path("phase").asText().equals("prepare"))
        .mapToLong(event -> event.findPath("lent_bytes").asLong())
        .max()
        .orElse(0);
  }

  /** All processes of this run: itself, the one inside its namespace, QEMU. */
  List<ProcessHandle> processes() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
  }

  /** Sends a signal as {@code kill -NAME} does. */
  static void signal(String name, ProcessHandle target) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(target.pid()))
        .inheritIO()
        .start()
        .waitFor();
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  @Override
  public void close() {
    process.destroy();
    if (process
        .onExit()
        .thenApply(_ -> true)
        .completeOnTimeout(false, 60, TimeUnit.SECONDS)
        .join()) {
      return;
    }
    process.destroyForcibly();
  }
}
