package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.measure.AlteredException;
import io.twinkernel.broker.measure.Effort;
import io.twinkernel.broker.measure.Figures;
import io.twinkernel.broker.measure.Pattern;
import io.twinkernel.broker.measure.RoundTrips;
import io.twinkernel.broker.measure.Tally;
import io.twinkernel.broker.measure.Way;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The link as a way to measure; A's part of it, {@link LinkAnswers} is B's. Round trips are made by
 * the link's own threads on both sides: what is measured is the link, not how long it takes to wake
 * another thread.
 */
final class LinkMeter implements Way {
  private final Link link;
  private volatile @Nullable Echo echo;
  private volatile CompletableFuture<Fields> answer = new CompletableFuture<>();

  LinkMeter(Link link) {
    this.link = link;
  }

  static boolean takes(int type) {
    return type == FrameType.ECHOED || type == FrameType.MEASURED;
  }

  /** On the link's thread. */
  void receive(int type, MemorySegment payload) throws IOException {
    if (type == FrameType.MEASURED) {
      Fields json = LinkAnswers.json(payload);
      if (json.text(LinkAnswers.WHAT, "").equals(LinkAnswers.POLL)) {
        link.poll(Duration.ofMillis(json.number(LinkAnswers.MILLIS)));
      }
      answer.complete(json);
      return;
    }
    Echo running = echo;
    if (running == null) {
      throw new IOException("B answers what nobody sent");
    }
    running.returned(payload);
  }

  /** The link has ended: whoever waits learns of it. */
  void end(IOException reason) {
    answer.completeExceptionally(reason);
    Echo running = echo;
    if (running != null) {
      running.done.completeExceptionally(reason);
    }
  }

  /** What B is asked for next is answered by this. */
  CompletableFuture<Fields> ask(Map<String, Object> what) throws IOException {
    var next = new CompletableFuture<Fields>();
    answer = next;
    link.send(FrameType.MEASURE, Json.write(what).getBytes(StandardCharsets.UTF_8));
    return next;
  }

  /** Waits for B's answer. */
  static Fields await(CompletableFuture<Fields> answer) throws IOException, InterruptedException {
    Fields json = result(answer);
    if (json.values().containsKey(LinkAnswers.FAILURE)) {
      throw new IOException("kernel B: " + json.text(LinkAnswers.FAILURE));
    }
    return json;
  }

  /** Has both sides poll; zero ends it. */
  void poll(Duration duration) throws IOException, InterruptedException {
    var _ =
        await(
            ask(
                Map.of(
                    LinkAnswers.WHAT, LinkAnswers.POLL, LinkAnswers.MILLIS, duration.toMillis())));
  }

  @Override
  public long[] echo(int bytes, Effort effort) throws IOException, InterruptedException {
    var next = new Echo(bytes, effort);
    echo = next;
    next.send();
    return result(next.done);
  }

  @Override
  public Figures.OneWay send(int recordBytes, Effort effort)
      throws IOException, InterruptedException {
    int bytes = Math.min(recordBytes, link.limit());
    long records = 0;
    long start = System.nanoTime();
    do {
      send(FrameType.BULK, records, bytes);
      records++;
    } while (effort.more(records * bytes, start));
    Fields taken = await(ask(Map.of(LinkAnswers.WHAT, LinkAnswers.TAKEN)));
    long took = System.nanoTime() - start;
    Tally.require(records, taken.number(LinkAnswers.RECORDS), taken.number(LinkAnswers.ALTERED));
    return new Figures.OneWay(bytes, records * bytes, took);
  }

  private void send(int type, long number, int bytes) throws IOException {
    link.send(
        type,
        bytes,
        room -> {
          room.copyFrom(Pattern.of(number, bytes));
          return bytes;
        });
  }

  private static <T> T result(CompletableFuture<T> future)
      throws IOException, InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw new IOException(cause == null ? e.getMessage() : cause.getMessage(), cause);
    }
  }

  /** Round trips of one size. */
  private final class Echo {
    private final int bytes;
    private final RoundTrips trips;
    private final CompletableFuture<long[]> done = new CompletableFuture<>();
    private long number;
    private long sent;

    Echo(int bytes, Effort effort) {
      this.bytes = bytes;
      this.trips = new RoundTrips(effort, System.nanoTime());
    }

    void send() throws IOException {
      sent = System.nanoTime();
      LinkMeter.this.send(FrameType.ECHO, number, bytes);
    }

    void returned(MemorySegment payload) throws IOException {
      long now = System.nanoTime();
      if (payload.byteSize() != bytes || !Pattern.matches(number, payload)) {
        done.completeExceptionally(
            new AlteredException("payload " + number + " came back over the link as another"));
        return;
      }
      number++;
      if (trips.add(sent, now)) {
        done.complete(trips.nanos());
      } else {
        send();
      }
    }
  }
}
