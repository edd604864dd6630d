package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame;
import org.testcontainers.containers.startupcheck.IsRunningStartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.LogMessageWaitStrategy;
import org.testcontainers.images.builder.ImageFromDockerfile;
import org.testcontainers.utility.MountableFile;

/**
 * {@code monitor.py} in a container, on Debian's Python. The image is made of Debian's packages and
 * nothing else: no registry is asked.
 */
final class MonitorContainer implements AutoCloseable {

  private static final List<String> PACKAGES =
      List.of(
          "python3.11-minimal",
          "libpython3.11-minimal",
          "libpython3.11-stdlib",
          "libc6",
          "libexpat1",
          "zlib1g");

  private final GenericContainer<?> container;

  private MonitorContainer(GenericContainer<?> container) {
    this.container = container;
  }

  /** Starts it and waits until it listens. */
  static MonitorContainer start(int bridgePort) throws IOException, InterruptedException {
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      throw new AssertionError(
          "no container engine answers: ./twin test starts one by itself; else set DOCKER_HOST");
    }
    ImageFromDockerfile image =
        new ImageFromDockerfile("twinkernel-monitor", true)
            .withFileFromPath("root.tar", root())
            .withDockerfileFromBuilder(
                builder -> builder.from("scratch").add("root.tar", "/").build());
    GenericContainer<?> container =
        new GenericContainer<>(image)
            .withImagePullPolicy(name -> false)
            // Where there is no bridge, the host's loopback is the container's.
            .withNetworkMode("host")
            .withCopyToContainer(
                MountableFile.forClasspathResource("io/twinkernel/harness/demo/monitor.py"),
                "/monitor.py")
            .withCommand("/usr/bin/python3.11", "-u", "/monitor.py", Integer.toString(bridgePort))
            .withStartupCheckStrategy(
                new IsRunningStartupCheckStrategy().withTimeout(Duration.ofMinutes(2)))
            .waitingFor(
                new LogMessageWaitStrategy()
                    .withRegEx("listening\\n")
                    .withStartupTimeout(Duration.ofMinutes(3)));
    container.start();
    return new MonitorContainer(container);
  }

  /** The events that it printed, one JSON object a line. */
  List<JsonNode> events() throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> events = new ArrayList<>();
    for (String line : container.getLogs(OutputFrame.OutputType.STDOUT).lines().toList()) {
      if (line.startsWith("{")) {
        events.add(json.readTree(line));
      }
    }
    return events;
  }

  /** A root file system of Debian's packages, as a tar archive. */
  private static Path root() throws IOException, InterruptedException {
    Path work = Files.createDirectories(Path.of("target", "monitor").toAbsolutePath());
    Path tar = work.resolve("root.tar");
    if (Files.exists(tar)) {
      return tar;
    }
    Path packages = Files.createDirectories(work.resolve("packages"));
    Path root = Files.createDirectories(work.resolve("root"));
    List<String> download = new ArrayList<>(List.of("apt-get", "-q", "download"));
    download.addAll(PACKAGES);
    run(packages, download);
    try (Stream<Path> all = Files.list(packages)) {
      for (Path one : all.filter(path -> path.toString().endsWith(".deb")).toList()) {
        run(packages, List.of("dpkg-deb", "-x", one.toString(), root.toString()));
      }
    }
    run(root, List.of("tar", "--owner=0", "--group=0", "-cf", tar + ".new", "."));
    return Files.move(work.resolve("root.tar.new"), tar);
  }

  private static void run(Path directory, List<String> line)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(line).directory(directory.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", line) + ": " + output);
    }
  }

  @Override
  public void close() {
    container.stop();
  }
}
