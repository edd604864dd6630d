package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Messages from the other kernel that wait for the thread that carries out the upgrade. */
final class Inbox {
  /**
   * One message.
   *
   * @param arrivedTsc when it was taken from the ring
   */
  record Message(int type, byte[] payload, long arrivedTsc) {

    /** One that has just come. */
    static Message now(int type, byte[] payload) {
      return new Message(type, payload, Tsc.read());
    }

    Fields json() throws MalformedMessageException {
      return new Fields(Json.parse(new String(payload, StandardCharsets.UTF_8)));
    }
  }

  private final ArrayDeque<Message> messages = new ArrayDeque<>();
  private @Nullable IOException end;

  synchronized void put(int type, byte[] payload) {
    messages.addLast(Message.now(type, payload));
    notifyAll();
  }

  synchronized void end(IOException reason) {
    end = reason;
    notifyAll();
  }

  /** Waits for the next message, however long that takes. */
  Message take() throws IOException, InterruptedException {
    return poll(Long.MAX_VALUE).orElseThrow(LinkException.Closed::new);
  }

  /**
   * Waits for the next message.
   *
   * @param nanos at most so long
   * @return empty if none came
   * @throws IOException if the link has ended and all messages are taken
   */
  synchronized Optional<Message> poll(long nanos) throws IOException, InterruptedException {
    long start = System.nanoTime();
    while (messages.isEmpty()) {
      if (end != null) {
        throw end;
      }
      long left = nanos - (System.nanoTime() - start);
      if (left <= 0) {
        return Optional.empty();
      }
      // Rounded up, so that the wait does not spin through its last millisecond.
      wait(Math.min(left / 1_000_000 + 1, Integer.MAX_VALUE));
    }
    return Optional.of(messages.removeFirst());
  }
}
