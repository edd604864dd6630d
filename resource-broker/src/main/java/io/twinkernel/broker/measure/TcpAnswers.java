package io.twinkernel.broker.measure;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** The end of a TCP connection that answers what {@link TcpWay} sends. */
public final class TcpAnswers {
  private TcpAnswers() {}

  /** Answers until the other side closes the connection. */
  public static void serve(SocketChannel channel) throws IOException {
    var tally = new Tally();
    try (var messages = new TcpMessages(channel);
        Arena arena = Arena.ofConfined()) {
      MemorySegment taken = arena.allocate(ValueLayout.JAVA_LONG, 2);
      for (Optional<TcpMessages.Message> next = messages.receive();
          next.isPresent();
          next = messages.receive()) {
        MemorySegment payload = next.get().payload();
        switch (next.get().kind()) {
          case TcpMessages.ECHO -> messages.send(TcpMessages.ECHO, payload);
          case TcpMessages.RECORD -> tally.take(payload);
          case TcpMessages.END -> {
            taken.setAtIndex(ValueLayout.JAVA_LONG, 0, tally.records());
            taken.setAtIndex(ValueLayout.JAVA_LONG, 1, tally.altered());
            tally.reset();
            messages.send(TcpMessages.END, taken);
          }
          default -> throw new IOException("message " + next.get().kind() + " over TCP");
        }
      }
    }
  }
}
