package io.twinkernel.harness.capture;

import io.twinkernel.harness.HarnessException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * tcpdump on a run's tap: the connections to one port, heads of packets only. It dies with the
 * thread that starts it, so that nothing holds a network namespace that is to go.
 */
public final class TapCapture implements AutoCloseable {

  /** Ethernet, IPv6, TCP and their options. */
  private static final int SNAPSHOT = 128;

  private static final Pattern MISSED = Pattern.compile("([0-9]+) packets? dropped by kernel");
  private static final int END_SECONDS = 10;

  private final Process process;
  private final BufferedReader says;
  private final Path file;
  private final int port;
  private final long toNanoTime;

  private TapCapture(Process process, BufferedReader says, Path file, int port) {
    this.process = process;
    this.says = says;
    this.file = file;
    this.port = port;
    Instant now = Instant.now();
    this.toNanoTime =
        System.nanoTime() - TimeUnit.SECONDS.toNanos(now.getEpochSecond()) - now.getNano();
  }

  /**
   * Starts, and waits until packets are captured.
   *
   * @param device in this process' network namespace
   * @param file to write; replaced
   */
  public static TapCapture start(String device, int port, Path file) throws HarnessException {
    List<String> line = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    line.addAll(List.of("tcpdump", "-i", device, "-n", "-p", "--immediate-mode", "-Z", "root"));
    line.addAll(List.of("-s", Integer.toString(SNAPSHOT), "--nano", "-w", file.toString()));
    line.add("tcp port " + port);
    StringBuilder said = new StringBuilder();
    try {
      Process process =
          new ProcessBuilder(line).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      BufferedReader says = process.errorReader();
      for (String one = says.readLine(); one != null; one = says.readLine()) {
        if (one.contains("listening on " + device)) {
          return new TapCapture(process, says, file, port);
        }
        said.append(one).append('\n');
      }
    } catch (IOException failure) {
      said.append(failure.getMessage());
    }
    throw new HarnessException.Machine(
        "tcpdump did not start on " + device + ": " + said.toString().strip());
  }

  /** Ends the capture and tells what was seen. */
  public WireTrace stop() throws HarnessException {
    // By its handle: Process.destroy() would close the stream in which it tells what it missed.
    process.toHandle().destroy();
    try {
      long missed = 0;
      for (String one = says.readLine(); one != null; one = says.readLine()) {
        Matcher matcher = MISSED.matcher(one);
        missed += matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
      }
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        throw new HarnessException.Machine("tcpdump does not end");
      }
      return WireTrace.read(file, port, toNanoTime, missed);
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "what went over the tap is not known: " + failure.getMessage(), failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted while tcpdump ended", interrupted);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
