package io.twinkernel.control;

import io.twinkernel.control.engine.Deadlines;
import io.twinkernel.control.upgrade.Verb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Serves until it is stopped. */
@Command(
    name = "twinkernel-control",
    mixinStandardHelpOptions = true,
    description = "The control plane: brokers dial in, operators use REST or twinctl.")
public final class Main implements Callable<Integer> {
  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      description = "address of REST and event bus bridges")
  String host = "127.0.0.1";

  @Option(names = "--rest-port", defaultValue = "7440", description = "0: any")
  int restPort;

  @Option(names = "--bridge-port", defaultValue = "7442", description = "0: any")
  int bridgePort;

  @Option(
      names = "--broker-host",
      defaultValue = "127.0.0.1",
      description = "address at which brokers dial in")
  String brokerHost = "127.0.0.1";

  @Option(names = "--broker-port", defaultValue = "7441", description = "0: any")
  int brokerPort;

  @Option(
      names = "--broker-token-file",
      required = true,
      description = "file with the token that brokers show")
  Path brokerTokenFile = Path.of("");

  @Option(
      names = "--api-token-file",
      description = "file with the token that clients show; needed unless --host is loopback")
  @Nullable Path apiTokenFile;

  @Option(names = "--journals", defaultValue = "journals", description = "folder of the journals")
  Path journals = Path.of("journals");

  @Option(
      names = "--deadline",
      paramLabel = "PHASE=DURATION",
      description = "how long a phase may take, as boot=PT20M")
  Map<String, Duration> deadline = new LinkedHashMap<>();

  @Option(
      names = "--deadline-scale",
      defaultValue = "1",
      description = "factor on all deadlines, for slow machines")
  double deadlineScale;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  @Override
  public Integer call() {
    var closed = new CountDownLatch(1);
    try (ControlPlane plane = ControlPlane.start(config())) {
      System.out.printf(
          "REST and SockJS on %s:%d, event bus bridge on %s:%d, brokers on %s:%d%n",
          host, plane.restPort(), host, plane.bridgePort(), brokerHost, plane.brokerPort());
      var stopped = new CountDownLatch(1);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(stopped, closed), "stop"));
      stopped.await();
      return 0;
    } catch (IOException | IllegalArgumentException e) {
      System.err.println("twinkernel-control: " + e.getMessage());
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    } finally {
      closed.countDown();
    }
  }

  /** The process ends with its shutdown hooks: this one waits until all is closed. */
  private static void stop(CountDownLatch stopped, CountDownLatch closed) {
    stopped.countDown();
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ControlPlaneConfig config() throws IOException {
    var deadlines = new LinkedHashMap<Verb, Duration>();
    deadline.forEach((verb, duration) -> deadlines.put(Verb.of(verb), duration));
    return new ControlPlaneConfig(
        host,
        restPort,
        bridgePort,
        brokerHost,
        brokerPort,
        token(brokerTokenFile),
        apiTokenFile == null ? Optional.empty() : Optional.of(token(apiTokenFile)),
        journals,
        new Deadlines(deadlines, deadlineScale));
  }

  private static String token(Path file) throws IOException {
    return Files.readString(file).strip();
  }
}
