package io.twinkernel.harness.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real shell on a real terminal behind a unix socket, as QEMU would offer it. */
final class ConsoleSessionTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path directory;
  private Process shell;
  private ServerSocketChannel listener;
  private Path socket;

  @BeforeEach
  void offerAShell() throws IOException {
    socket = directory.resolve("console.sock");
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    // script(1) gives the shell a terminal: it echoes, and ends lines with CR LF.
    shell =
        new ProcessBuilder("script", "-qfc", "sh -i", "/dev/null")
            .redirectErrorStream(true)
            .start();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                SocketChannel channel = listener.accept();
                Thread.ofVirtual().start(() -> copy(shell, channel));
                Channels.newInputStream(channel).transferTo(new Flushing(shell.getOutputStream()));
              } catch (IOException closed) {
                // The test is over.
              }
            });
  }

  private static void copy(Process shell, SocketChannel channel) {
    try {
      shell.getInputStream().transferTo(Channels.newOutputStream(channel));
    } catch (IOException closed) {
      // The test is over.
    }
  }

  @AfterEach
  void end() throws IOException {
    shell.destroyForcibly();
    listener.close();
  }

  @Test
  void takesWhatACommandPrinted() throws Exception {
    try (ConsoleSession console = ConsoleSession.attach(socket)) {
      assertThat(console.run("uname -r", PATIENCE)).isEqualTo(System.getProperty("os.version"));
      assertThat(console.run("echo one; echo two", PATIENCE)).isEqualTo("one\ntwo");
      assertThat(console.run("true", PATIENCE)).isEmpty();
      assertThat(console.run("seq 2000", PATIENCE).lines().count()).isEqualTo(2000);
    }
  }

  @Test
  void saysWhichCommandDidNotEnd() throws Exception {
    try (ConsoleSession console = ConsoleSession.attach(socket)) {
      assertThatThrownBy(() -> console.run("cat", Duration.ofMillis(300)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("'cat'");
    }
  }

  @Test
  void theTailLeavesOutWhatSessionsDid() throws Exception {
    Path log = directory.resolve("console.log");
    Files.writeString(
        log,
        """
        first
        / # echo 'tw1n0'-in; uname -r; echo 'tw1n0'-out
        tw1n0-in
        6.1.0
        tw1n0-out
        / #

        last
        """);
    assertThat(ConsoleLog.tail(log, 10)).isEqualTo("first\nlast");
    assertThat(ConsoleLog.tail(log, 1)).isEqualTo("last");
    assertThat(ConsoleLog.tail(directory.resolve("none"), 1)).contains("nothing was recorded");
  }

  /** Hands on every byte at once. */
  private static final class Flushing extends FilterOutputStream {
    Flushing(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      out.write(bytes, from, count);
      out.flush();
    }
  }
}
