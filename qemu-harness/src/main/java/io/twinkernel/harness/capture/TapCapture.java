package io.twinkernel.harness.capture;

import io.twinkernel.harness.HarnessException;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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
  private static final Pattern PROGRESS =
      Pattern.compile("([0-9]+) packets? captured, ([0-9]+) packets? received by filter, (.*)");
  private static final int END_SECONDS = 10;
  private static final long ASK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final Process process;
  private final BufferedReader says;
  private final Path file;
  private final int port;
  private final int copies;
  private final long toNanoTime;

  private TapCapture(Process process, BufferedReader says, Path file, int port, int copies) {
    this.copies = copies;
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
          // Loopback shows a packet as sent and as received; libpcap takes one of both.
          int copies = NetworkInterface.getByName(device).isLoopback() ? 2 : 1;
          return new TapCapture(process, says, file, port, copies);
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
    awaitProcessed();
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

  /**
   * tcpdump forgets at its end what the kernel has captured and it has not read yet. It says on
   * SIGUSR1 how far it is.
   */
  private void awaitProcessed() throws HarnessException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    String progress = "";
    try {
      while (System.nanoTime() < deadline) {
        new ProcessBuilder("kill", "-USR1", Long.toString(process.pid())).start().waitFor();
        progress = says.readLine();
        if (progress == null) {
          throw new HarnessException.Machine("tcpdump has ended on its own");
        }
        Matcher counts = PROGRESS.matcher(progress);
        if (counts.find()) {
          Matcher missed = MISSED.matcher(counts.group(3));
          long lost = missed.find() ? Long.parseLong(missed.group(1)) : 0;
          long processed = copies * Long.parseLong(counts.group(1)) + lost;
          if (processed >= Long.parseLong(counts.group(2))) {
            return;
          }
        }
        LockSupport.parkNanos(ASK_EVERY_NANOS);
      }
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "tcpdump cannot be asked: " + failure.getMessage(), failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted while tcpdump worked", interrupted);
    }
    throw new HarnessException.Machine("tcpdump falls behind: " + progress);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
