package io.twinkernel.harness.client;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * One connection of the outside client: writes and reads in turn at a bounded rate until told to
 * stop or until the connection ends. It never opens another one.
 */
final class ClientConnection implements Runnable {

  private final int number;
  private final RespConnection connection;
  private final Dataset dataset;
  private final Versions versions;
  private final long pauseNanos;
  private final CountDownLatch stop;
  private final Semaphore answers;
  private final SplittableRandom random;

  private final List<Sample> samples = new ArrayList<>(1 << 14);
  private Ended ended = new Ended.Open();
  private long acknowledged;
  private long inFlight;
  private long wrongReads;
  private final LongestGap gap = new LongestGap();

  ClientConnection(
      int number,
      RespConnection connection,
      Dataset dataset,
      Versions versions,
      Duration pause,
      CountDownLatch stop,
      Semaphore answers) {
    this.number = number;
    this.connection = connection;
    this.dataset = dataset;
    this.versions = versions;
    this.pauseNanos = pause.toNanos();
    this.stop = stop;
    this.answers = answers;
    this.random = new SplittableRandom(dataset.seed() + number);
  }

  @Override
  public void run() {
    long next = System.nanoTime();
    begin(next);
    boolean write = true;
    try {
      while (open() && !stop.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        if (write) {
          write();
        } else {
          read();
        }
        write = !write;
        // From now on, not from when it was due: what was missed is not caught up with a burst.
        next = Math.max(next + pauseNanos, System.nanoTime());
      }
      if (open()) {
        // A connection that was not used last thing is not known to be open.
        read();
      }
    } catch (IOException broken) {
      end(Ended.by(broken));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() throws IOException {
    long sequence = acknowledged + 1;
    inFlight = sequence;
    Reply reply = timed(true, "RPUSH", ConnectionRecord.logOf(number), Long.toString(sequence));
    if (!(reply instanceof Reply.Count length)) {
      end(new Ended.Wrong("RPUSH answered with " + reply));
    } else {
      acknowledged = sequence;
      inFlight = 0;
      if (length.value() != sequence) {
        // Kept going on purpose: the check at the end says exactly what was lost or doubled.
        wrongReads++;
      }
    }
  }

  private void read() throws IOException {
    int index = random.nextInt(dataset.count());
    int oldest = versions.oldest(index);
    Reply reply = timed(false, "GET", Dataset.key(index));
    if (!dataset.isValue(index, oldest, versions.newest(index), reply)) {
      wrongReads++;
    }
  }

  private Reply timed(boolean write, String... command) throws IOException {
    connection.send(command);
    long sent = System.nanoTime();
    connection.flush();
    Reply reply = connection.receive();
    long answered = System.nanoTime();
    synchronized (this) {
      samples.add(new Sample(number, write, sent, answered));
      gap.until(answered);
    }
    answers.release();
    return reply;
  }

  private synchronized void end(Ended how) {
    ended = how;
    gap.until(System.nanoTime());
  }

  private synchronized void begin(long now) {
    gap.begin(now);
  }

  /** Safe at any time, also while the connection works. */
  synchronized ConnectionRecord record() {
    return new ConnectionRecord(
        number, ended, samples, acknowledged, inFlight, wrongReads, gap.nanos(), gap.from());
  }

  /** Nanoseconds since the last answer. */
  synchronized long silentFor() {
    return gap.silentFor();
  }

  synchronized boolean open() {
    return ended instanceof Ended.Open;
  }

  void close() throws IOException {
    connection.close();
  }
}
