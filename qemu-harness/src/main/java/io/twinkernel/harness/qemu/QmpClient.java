package io.twinkernel.harness.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's machine protocol over a connected socket (QEMU's docs/interop/qmp-spec): one reader thread
 * that completes commands by their id and hands events to whoever awaits them. Events are kept, so
 * that awaiting one that has happened already returns at once. Safe for use by several threads.
 */
public final class QmpClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SocketChannel channel;
  private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
  private final List<QmpEvent> events = new ArrayList<>();
  private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
  private long nextId;
  private @Nullable IOException ended;

  private QmpClient(SocketChannel channel) {
    this.channel = channel;
  }

  /** Waits for QEMU's greeting and leaves capabilities negotiation behind. */
  public static QmpClient over(SocketChannel channel, Duration timeout) throws IOException {
    QmpClient client = new QmpClient(channel);
    Thread.ofVirtual().name("qmp").start(client::readAll);
    client.await("greeting", client.greeting, timeout);
    client.execute("qmp_capabilities", Map.of(), timeout);
    return client;
  }

  /**
   * Executes one command.
   *
   * @return its {@code return} member
   * @throws QmpException QEMU refused it
   */
  public JsonNode execute(String command, Map<String, ?> arguments, Duration timeout)
      throws IOException {
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    synchronized (channel) {
      long id = nextId++;
      pending.put(id, answer);
      ObjectNode message = JSON.createObjectNode().put("execute", command).put("id", id);
      if (!arguments.isEmpty()) {
        message.set("arguments", JSON.valueToTree(arguments));
      }
      ByteBuffer bytes = ByteBuffer.wrap((message + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
    JsonNode reply = await(command, answer, timeout);
    JsonNode error = reply.get("error");
    if (error != null) {
      throw new QmpException(command, error.path("class").asText(), error.path("desc").asText());
    }
    return reply.path("return");
  }

  /** Waits for the first event, also one that came before this call, that matches. */
  public QmpEvent awaitEvent(Predicate<QmpEvent> wanted, Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (events) {
      int seen = 0;
      while (true) {
        for (; seen < events.size(); seen++) {
          if (wanted.test(events.get(seen))) {
            return events.get(seen);
          }
        }
        if (ended != null) {
          throw new IOException("QEMU ended before the event came", ended);
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
          throw new IOException(
              "no such event within " + timeout.toMillis() + " ms; seen: " + events);
        }
        try {
          events.wait(left);
        } catch (InterruptedException interrupted) {
          throw interrupted(interrupted);
        }
      }
    }
  }

  /** All events so far, in order. */
  public List<QmpEvent> events() {
    synchronized (events) {
      return List.copyOf(events);
    }
  }

  private void readAll() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        take(JSON.readTree(line));
      }
      end(new IOException("QEMU closed its monitor"));
    } catch (IOException failure) {
      end(failure);
    }
  }

  private void take(JsonNode message) {
    if (message.has("QMP")) {
      greeting.complete(message);
    } else if (message.has("event")) {
      synchronized (events) {
        events.add(new QmpEvent(message.get("event").asText(), message.path("data")));
        events.notifyAll();
      }
    } else {
      CompletableFuture<JsonNode> waiting = pending.remove(message.path("id").asLong(-1));
      if (waiting != null) {
        waiting.complete(message);
      }
    }
  }

  private void end(IOException why) {
    synchronized (events) {
      ended = why;
      events.notifyAll();
    }
    greeting.completeExceptionally(why);
    synchronized (channel) {
      pending.values().forEach(waiting -> waiting.completeExceptionally(why));
      pending.clear();
    }
  }

  private JsonNode await(String what, CompletableFuture<JsonNode> answer, Duration timeout)
      throws IOException {
    synchronized (events) {
      if (ended != null) {
        throw new IOException("QMP " + what + ": QEMU has ended", ended);
      }
    }
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failure) {
      throw new IOException("QMP " + what + ": " + failure.getCause(), failure);
    } catch (TimeoutException late) {
      throw new IOException(
          "QMP " + what + ": no answer within " + timeout.toMillis() + " ms", late);
    } catch (InterruptedException interrupted) {
      throw interrupted(interrupted);
    }
  }

  private static IOException interrupted(InterruptedException interrupted) {
    Thread.currentThread().interrupt();
    return new IOException("interrupted while waiting for QEMU", interrupted);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
