package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Builds the images as the demo does, from Debian's archive, and boots them. */
@Tag("machine")
class NodeImagesMachineTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String ADDRESS = "10.0.2.15";

  @TempDir private Path folder;

  private static NodeImages build(ImageCache cache, BrokerApp app)
      throws RootfsException, InterruptedException {
    return NodeImages.build(
        cache,
        KernelSource.parse("6.1"),
        KernelSource.parse("6.12"),
        app,
        Progress.lines(System.out));
  }

  @Test
  void kernelABootsAndItsRedisAnswers() throws Exception {
    NodeImages images = build(ImageCache.standard(), BrokerApp.standard());
    Path initramfs = folder.resolve("initramfs");
    images.writeInitramfs(
        initramfs,
        NodeConfig.of(
            Map.of(
                "node", "test",
                "service.interface.pci", "0000:00:02.0",
                "service.address", ADDRESS + "/24")));
    int port = freePort();
    Path console = folder.resolve("console");
    Emulator emulator = Emulator.prepare(ImageCache.standard(), Progress.lines(System.out));
    List<String> line = new ArrayList<>(emulator.startLine());
    line.addAll(
        List.of(
            "-accel",
            "tcg,thread=multi",
            "-M",
            "q35",
            "-cpu",
            "max,-cx16",
            "-m",
            "3072",
            "-smp",
            "2",
            "-display",
            "none",
            "-nodefaults",
            "-no-reboot",
            "-serial",
            "file:" + console,
            "-kernel",
            images.kernel().toString(),
            "-initrd",
            initramfs.toString(),
            "-append",
            "console=ttyS0 quiet panic=-1 crashkernel=1G",
            "-netdev",
            "user,id=n,hostfwd=tcp:127.0.0.1:" + port + "-" + ADDRESS + ":6379",
            "-device",
            "virtio-net-pci,netdev=n,addr=2,disable-legacy=on"));
    Process machine = new ProcessBuilder(line).inheritIO().start();
    try {
      assertThat(ping(port, machine)).as(Files.readString(console)).contains("+PONG\r\n");
    } finally {
      machine.destroyForcibly().waitFor();
    }
  }

  @Test
  void twoBuildsGiveTheSameBytes() throws Exception {
    // The ahead-of-time cache is what the JVM makes of it, and not the same twice: left out here.
    BrokerApp app =
        new BrokerApp(BrokerApp.standard().jars(), BrokerApp.standard().mainClass(), List.of());
    NodeImages first = build(ImageCache.standard(), app);
    NodeImages second = build(ImageCache.at(freshCache(ImageCache.standard().root())), app);

    assertThat(second.parts()).hasSameSizeAs(first.parts());
    for (int i = 0; i < first.parts().size(); i++) {
      assertThat(Files.mismatch(first.parts().get(i), second.parts().get(i)))
          .as("%s and %s", first.parts().get(i), second.parts().get(i))
          .isEqualTo(-1);
    }
    assertThat(Files.mismatch(first.twinInitrd(), second.twinInitrd())).isEqualTo(-1);
  }

  /** A cache that has what was downloaded, and nothing that was made of it. */
  private Path freshCache(Path standard) throws IOException {
    Path fresh = Files.createDirectory(folder.resolve("cache"));
    for (String downloaded : List.of("apt", "kernel", "kernel-headers", "packages")) {
      Files.createSymbolicLink(fresh.resolve(downloaded), standard.resolve(downloaded));
    }
    return fresh;
  }

  /**
   * What Redis says to PING; QEMU accepts the connection before the guest does and then closes it.
   */
  private static Optional<String> ping(int port, Process machine) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end && machine.isAlive()) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
        socket.setSoTimeout(3000);
        socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
        byte[] answer = socket.getInputStream().readNBytes(7);
        if (answer.length > 0) {
          return Optional.of(new String(answer, StandardCharsets.US_ASCII));
        }
      } catch (IOException e) {
        // Not up yet: try again, unless the machine ends meanwhile.
      }
      machine.waitFor(Duration.ofMillis(100));
    }
    return Optional.empty();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
