package io.twinkernel.harness.client;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A client that keeps no connection: connects, appends to its list, reads that back, and leaves,
 * over and over, as most clients of most services do. A visit counts as one request, from the call
 * that connects to the end of the stream that answers its goodbye.
 */
final class Visitor implements Runnable {

  private final int number;
  private final InetSocketAddress server;
  private final Duration silence;
  private final long pauseNanos;
  private final CountDownLatch stop;
  private final Semaphore answers;

  private final List<Sample> samples = new ArrayList<>(1 << 12);
  private final LongestGap gap = new LongestGap();
  private Ended ended = new Ended.Open();
  private long acknowledged;
  private long inFlight;
  private long wrongReads;

  /**
   * @param pause between two visits
   * @param silence how long an answer may take
   */
  Visitor(
      int number,
      InetSocketAddress server,
      Duration pause,
      Duration silence,
      CountDownLatch stop,
      Semaphore answers) {
    this.number = number;
    this.server = server;
    this.silence = silence;
    this.pauseNanos = pause.toNanos();
    this.stop = stop;
    this.answers = answers;
  }

  @Override
  public void run() {
    long next = System.nanoTime();
    begin(next);
    try {
      while (!stop.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        visit();
        next = Math.max(next + pauseNanos, System.nanoTime());
      }
    } catch (IOException broken) {
      end(Ended.by(broken));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void visit() throws IOException {
    long from = System.nanoTime();
    try (RespConnection connection = RespConnection.open(server, silence)) {
      long sequence = acknowledged + 1;
      inFlight = sequence;
      String log = ConnectionRecord.logOf(number);
      Reply pushed = connection.call("RPUSH", log, Long.toString(sequence));
      acknowledged = sequence;
      inFlight = 0;
      Reply last = connection.call("LINDEX", log, "-1");
      boolean right =
          pushed instanceof Reply.Count length
              && length.value() == sequence
              && last instanceof Reply.Bulk entry
              && entry.text().equals(Long.toString(sequence));
      if (!right || !connection.leave()) {
        wrongReads++;
      }
    }
    long done = System.nanoTime();
    synchronized (this) {
      samples.add(new Sample(number, true, from, done));
      gap.until(done);
    }
    answers.release();
  }

  private synchronized void begin(long now) {
    gap.begin(now);
  }

  private synchronized void end(Ended how) {
    ended = how;
    gap.until(System.nanoTime());
  }

  /** Safe at any time. */
  synchronized ConnectionRecord record() {
    return new ConnectionRecord(
        number, ended, samples, acknowledged, inFlight, wrongReads, gap.nanos(), gap.from());
  }
}
