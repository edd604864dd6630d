package io.twinkernel.harness.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A Redis on loopback, from this host's packages or unpacked from Debian's into the build folder.
 * Nothing is installed.
 */
public final class RedisProcess implements AutoCloseable {

  private final Process process;
  private final int port;

  private RedisProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Starts one and waits until it says that it takes connections. */
  public static RedisProcess start(String... settings) throws IOException, InterruptedException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    ProcessBuilder builder = command();
    builder
        .command()
        .addAll(List.of("--port", Integer.toString(port), "--bind", "127.0.0.1", "--save", ""));
    builder.command().addAll(List.of(settings));
    Process process = builder.redirectErrorStream(true).start();
    var lines = process.inputReader();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.contains("Ready to accept connections")) {
        Thread.ofVirtual().start(() -> lines.lines().forEach(ignored -> {}));
        return new RedisProcess(process, port);
      }
    }
    throw new IOException("redis-server ended: exit code " + process.waitFor());
  }

  private static ProcessBuilder command() throws IOException, InterruptedException {
    for (String folder : System.getenv("PATH").split(":", -1)) {
      if (Files.isExecutable(Path.of(folder, "redis-server"))) {
        return new ProcessBuilder(Path.of(folder, "redis-server").toString());
      }
    }
    Path root = Path.of("target", "redis").toAbsolutePath();
    Path server = root.resolve("usr/bin/redis-check-rdb");
    if (!Files.exists(server)) {
      unpack(root);
    }
    ProcessBuilder builder = new ProcessBuilder("redis-server");
    builder.command().set(0, root.resolve("usr/bin/redis-server").toString());
    builder
        .environment()
        .put("LD_LIBRARY_PATH", root.resolve("usr/lib/x86_64-linux-gnu").toString());
    return builder;
  }

  private static void unpack(Path root) throws IOException, InterruptedException {
    Path packages = Files.createDirectories(root.resolve("packages"));
    run(
        packages,
        "apt-get",
        "-q",
        "download",
        "redis-server",
        "redis-tools",
        "liblua5.1-0",
        "libatomic1",
        "libjemalloc2",
        "liblzf1",
        "lua-bitop",
        "lua-cjson",
        "libhiredis0.14");
    try (Stream<Path> all = Files.list(packages)) {
      for (Path one : all.filter(path -> path.toString().endsWith(".deb")).toList()) {
        run(packages, "dpkg-deb", "-x", one.toString(), root.toString());
      }
    }
  }

  private static void run(Path directory, String... line) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(line).directory(directory.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", line) + ": " + output);
    }
  }

  public InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  public Optional<ProcessHandle> handle() {
    return ProcessHandle.of(process.pid());
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
