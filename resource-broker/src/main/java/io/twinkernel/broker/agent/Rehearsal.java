package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Doorbell;
import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.prestage.Canary;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.ControlChannel;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

/** Runs the broker's conversations within one process, so that their code is known before. */
public final class Rehearsal {
  private static final long REGION = 8L << 20;

  private Rehearsal() {}

  /** Both ends of a link over memory of this process. */
  public static void link() throws IOException, InterruptedException {
    try (Arena arena = Arena.ofShared()) {
      var memory = arena.allocate(REGION, 4096);
      SharedRegion region = SharedRegion.create(memory, 1);
      var bells = new Semaphore[] {new Semaphore(0), new Semaphore(0)};
      var inbox = new Inbox();
      var images =
          new ImageReceiver(Files.createTempDirectory("rehearsal"), new PrestagedProcesses());
      Link a =
          region.connect(
              SharedRegion.Side.A, bell(bells[1], bells[0]), (type, payload) -> {}, end -> {});
      Link b =
          SharedRegion.open(memory)
              .connect(
                  SharedRegion.Side.B,
                  bell(bells[0], bells[1]),
                  (type, payload) -> images.receive(inbox, type, payload),
                  inbox::end);
      try (a;
          b) {
        new Peer(a, inbox).send(FrameType.STAGE, Map.of("function", "0000:81:00.0"));
        b.send(FrameType.STAGED, new byte[0]);
        inbox.take().json().text("function");
        images(a, inbox);
      }
      a.join();
      b.join();
    }
  }

  /** A process that is copied into itself, as far as this host lets it. */
  public static void canary() {
    try (var canary = Canary.hatch()) {
      canary.fly();
    } catch (IOException e) {
      System.err.println("the canary fell: " + e.getMessage());
    }
  }

  private static void images(Link link, Inbox inbox) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("rehearsal");
    Files.writeString(folder.resolve("core-1.img"), "image");
    new ImageSender(link).send(folder, "1/1");
    link.send(FrameType.IMAGE_COMPLETE, new byte[0]);
    inbox.take();
  }

  private static Doorbell bell(Semaphore other, Semaphore own) {
    return new Doorbell() {
      @Override
      public void ring() {
        other.release();
      }

      @Override
      public boolean await(Duration timeout) throws IOException {
        try {
          return own.tryAcquire(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          throw new IOException("interrupted", e);
        }
      }
    };
  }

  private static void put(SynchronousQueue<Command> commands, Command command) {
    try {
      commands.put(command);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A control channel to a listener that welcomes it and asks one thing. */
  public static void control() throws IOException, InterruptedException {
    var commands = new SynchronousQueue<Command>();
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var channel =
            new ControlChannel(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort()),
                () -> Map.of("node", "rehearsal"),
                command -> put(commands, command))) {
      channel.start();
      try (var socket = listener.accept()) {
        socket
            .getOutputStream()
            .write(
                (Json.write(Map.of("type", "welcome", "protocol", 1))
                        + "\n"
                        + Json.write(Map.of("type", "command", "command", 1, "verb", "status"))
                        + "\n")
                    .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Command command = commands.poll(1, TimeUnit.MINUTES);
        if (command == null) {
          throw new IOException("no command arrived");
        }
        channel.send(ControlChannel.reply(command, Map.of("stage", "Idle")));
        while (socket.getInputStream().read() != '\n') {
          // The hello; the reply follows on its own.
        }
      }
    }
  }
}
