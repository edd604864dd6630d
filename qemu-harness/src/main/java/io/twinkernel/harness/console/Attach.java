package io.twinkernel.harness.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Joins this process's terminal to a guest's console until Ctrl-] or the console's end. */
public final class Attach {

  private static final int DETACH = 0x1d;

  private Attach() {}

  public static void to(Path socket) throws IOException {
    boolean raw = stty("raw", "-echo");
    Thread restore = new Thread(() -> stty("sane"));
    if (raw) {
      Runtime.getRuntime().addShutdownHook(restore);
    }
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      Thread reader = Thread.ofPlatform().daemon().name("console").start(() -> print(channel));
      InputStream keys = System.in;
      byte[] typed = new byte[256];
      for (int n = keys.read(typed); n > 0 && reader.isAlive(); n = keys.read(typed)) {
        for (int i = 0; i < n; i++) {
          if (typed[i] == DETACH) {
            return;
          }
        }
        ByteBuffer bytes = ByteBuffer.wrap(typed, 0, n);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    } finally {
      if (raw) {
        stty("sane");
        Runtime.getRuntime().removeShutdownHook(restore);
      }
    }
  }

  private static void print(SocketChannel channel) {
    OutputStream out = System.out;
    try (InputStream in = Channels.newInputStream(channel)) {
      byte[] bytes = new byte[4096];
      for (int n = in.read(bytes); n > 0; n = in.read(bytes)) {
        out.write(bytes, 0, n);
        out.flush();
      }
    } catch (IOException detached) {
      // The other thread closed it.
    }
  }

  /** Whether there is a terminal whose settings could be changed. */
  private static boolean stty(String... settings) {
    try {
      String[] line = new String[settings.length + 1];
      line[0] = "stty";
      System.arraycopy(settings, 0, line, 1, settings.length);
      Process process =
          new ProcessBuilder(line)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(2, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException noTerminal) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
