package io.twinkernel.rootfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What kernel-patches/build-kernel takes and refuses, before it builds anything. */
class BuildKernelTest {
  @TempDir private Path folder;
  private Path tarball = Path.of("");
  private Path out = Path.of("");

  @BeforeEach
  void makeTarball() throws Exception {
    Files.createDirectories(folder.resolve("linux-5.15.1"));
    Files.writeString(folder.resolve("linux-5.15.1/Makefile"), "all:\n");
    tarball = folder.resolve("linux-5.15.1.tar.gz");
    out = folder.resolve("out");
    Command.run(folder, "tar", "-czf", tarball.toString(), "linux-5.15.1");
  }

  @Test
  void takesNoUrlWithoutASum() throws Exception {
    Command.Result result = build("--tarball", "https://localhost/linux.tar.xz");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.errors()).contains("a URL is not taken without --sha256");
    assertThat(out.resolve("source")).doesNotExist();
  }

  @Test
  void takesNoTarballWithAnotherSum() throws Exception {
    String wrong = "0".repeat(64);
    Command.Result result = build("--tarball", tarball.toString(), "--sha256", wrong);
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.errors()).contains(Digest.of(tarball), "not " + wrong);
    assertThat(out.resolve("source")).doesNotExist();
  }

  @Test
  void fetchesFromAUrlWhatHasTheRightSumAndKeepsNothingElse() throws Exception {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    AtomicReference<byte[]> served = new AtomicReference<>("not it".getBytes(UTF_8));
    server.createContext(
        "/linux.tar.gz",
        exchange -> {
          byte[] content = served.get();
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
          exchange.close();
        });
    server.start();
    try {
      String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/linux.tar.gz";
      String sum = Digest.of(tarball);
      assertThat(build("--tarball", url, "--sha256", sum).errors()).contains(", not " + sum);
      assertThat(out.resolve("linux.tar.gz")).doesNotExist();
      String none = url.replace("linux", "none");
      assertThat(build("--tarball", none, "--sha256", sum).errors())
          .contains("cannot fetch " + none, "404");

      served.set(Files.readAllBytes(tarball));
      // It is no kernel: that is found after its sum, or that this host lacks what builds one.
      assertThat(build("--tarball", url, "--sha256", sum).errors())
          .contains("linux.tar.gz, SHA-256 " + sum);
      assertThat(out.resolve("linux.tar.gz")).hasSameBinaryContentAs(tarball);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void deletesNothingOfAFolderThatIsNotItsOwn() throws Exception {
    Files.createDirectories(out.resolve("lib"));
    Command.Result result = build("--tarball", tarball.toString());
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.errors()).contains("neither empty nor of an earlier run");
    assertThat(out.resolve("lib")).exists();
  }

  @Test
  void saysWhatIsNotThereOrNotMeant() throws Exception {
    assertThat(build("--tarball", folder.resolve("none").toString()).errors()).contains("no file");
    assertThat(build("--tarball", tarball.toString(), "--sha256", "12").errors())
        .contains("64 hexadecimal digits");
    assertThat(build("--tarbal", "x").errors()).contains("no such option: --tarbal");
    assertThat(build("--tarball").errors()).contains("--tarball needs a value");
    assertThat(build().status()).isEqualTo(2);
  }

  private Command.Result build(String... options)
      throws IOException, RootfsException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                ProjectHome.find().root().resolve("kernel-patches/build-kernel").toString(),
                "--out",
                out.toString()));
    words.addAll(List.of(options));
    return Command.attempt(folder, Map.of(), words);
  }
}
