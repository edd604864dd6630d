package io.twinkernel.harness.console;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * A guest's console over QEMU's socket, used by a program: runs a command in the shell that waits
 * there and takes what it printed from between two marks, whatever else the kernel prints
 * meanwhile. One client at a time: QEMU lets a second one wait.
 */
public final class ConsoleSession implements AutoCloseable {

  /** How a line begins that a session typed, after the shell's prompt. */
  static final String TYPED = "echo 'tw";

  /** The mark after what a command printed. */
  static final Pattern ENDED = Pattern.compile("tw[0-9]+n[0-9]+-out");

  private final SocketChannel channel;
  private final StringBuilder received = new StringBuilder();
  private int commands;

  private ConsoleSession(SocketChannel channel) {
    this.channel = channel;
  }

  public static ConsoleSession attach(Path socket) throws IOException {
    return new ConsoleSession(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  /**
   * Runs a shell command.
   *
   * @return what it printed, without the last line end
   * @throws IOException the console is gone, or the command did not end in time
   */
  public String run(String command, Duration timeout) throws IOException {
    String mark = "tw" + System.nanoTime() % 1_000_000 + "n" + commands++;
    // The shell echoes what is typed: the marks must not stand in it as they will be printed.
    String line = "\necho '" + mark + "'-in; " + command + "; echo '" + mark + "'-out\n";
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    answer.complete(between(mark + "-in", mark + "-out"));
                  } catch (IOException failure) {
                    answer.completeExceptionally(failure);
                  }
                });
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      reader.interrupt();
      throw new IOException(
          "the console's shell did not answer '"
              + command
              + "' within "
              + timeout.toSeconds()
              + " s",
          late);
    } catch (ExecutionException failure) {
      throw new IOException(failure.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for the console", interrupted);
    }
  }

  private String between(String begin, String end) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    while (true) {
      int from = received.indexOf(begin + "\n");
      int to = received.indexOf(end + "\n");
      if (from >= 0 && to > from) {
        String found = received.substring(from + begin.length() + 1, to).strip();
        received.delete(0, to + end.length() + 1);
        return found;
      }
      if (channel.read(buffer.clear()) < 0) {
        throw new IOException("the console was closed");
      }
      String text = StandardCharsets.UTF_8.decode(buffer.flip()).toString();
      received.append(text.replace("\r", ""));
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
