import java.io.IOException;
import java.io.PrintWriter;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;

/**
 * A JVM at work: threads that meet at a barrier, fill a map, make garbage and check their own data,
 * and others that come and go; tells on port 7001 whether all is well.
 */
final class Counter {
  private static final int THREADS = 6;
  private static final int KEYS = 1000;

  /** For how long each of those that come and go lives. */
  private static final int LIFE_MILLIS = 1500;

  private static final AtomicLong FAULTS = new AtomicLong();
  private static final AtomicLong ROUNDS = new AtomicLong();
  private static final AtomicLong BACKWARD = new AtomicLong();
  private static final AtomicLong GENERATION = new AtomicLong();
  private static final Map<Long, byte[]> MAP = new ConcurrentHashMap<>();

  private Counter() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    CyclicBarrier barrier = new CyclicBarrier(THREADS, ROUNDS::incrementAndGet);
    for (int one = 0; one < THREADS; one++) {
      long me = one;
      Thread.ofPlatform().daemon().start(() -> work(me, barrier));
    }
    Thread.ofVirtual().start(Counter::watchClock);
    Thread.ofPlatform().daemon().name("ancestor").start(Counter::generations);
    try (ServerSocket server = new ServerSocket(7001)) {
      while (true) {
        try (Socket client = server.accept();
            PrintWriter out =
                new PrintWriter(client.getOutputStream(), false, StandardCharsets.US_ASCII)) {
          report(out);
        }
      }
    }
  }

  private static void work(long me, CyclicBarrier barrier) {
    long mine = 0;
    while (true) {
      try {
        long key = me * KEYS + mine % KEYS;
        byte[] before = MAP.put(key, value(key, mine));
        if (before != null && !java.util.Arrays.equals(before, value(key, mine - KEYS))) {
          FAULTS.incrementAndGet();
        }
        mine++;
        barrier.await();
        if (ROUNDS.get() < mine) {
          FAULTS.incrementAndGet();
        }
        Thread.sleep(1);
      } catch (Exception e) {
        FAULTS.incrementAndGet();
        return;
      }
    }
  }

  /** One after the other each takes over what the one before had come to, and adds to it. */
  private static void generations() {
    while (true) {
      long before = GENERATION.get();
      Thread one =
          Thread.ofPlatform().name("generation " + before % 10).start(() -> live(before));
      try {
        one.join();
      } catch (InterruptedException e) {
        return;
      }
      if (GENERATION.get() != before + 1) {
        FAULTS.incrementAndGet();
      }
    }
  }

  private static void live(long before) {
    ThreadLocal<byte[]> own = ThreadLocal.withInitial(() -> value(before, before));
    own.get();
    try {
      Thread.sleep(LIFE_MILLIS);
    } catch (InterruptedException e) {
      return;
    }
    if (java.util.Arrays.equals(own.get(), value(before, before))
        && Thread.currentThread().getName().equals("generation " + before % 10)) {
      GENERATION.compareAndSet(before, before + 1);
    }
  }

  private static byte[] value(long key, long round) {
    byte[] text = (key + ":" + round + " ").repeat(40).getBytes(StandardCharsets.US_ASCII);
    CRC32 sum = new CRC32();
    sum.update(text);
    return (sum.getValue() + new String(text, StandardCharsets.US_ASCII))
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static void watchClock() {
    long before = System.nanoTime();
    while (true) {
      long now = System.nanoTime();
      if (now < before) {
        BACKWARD.incrementAndGet();
      }
      before = now;
      try {
        Thread.sleep(2);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static void report(PrintWriter out) throws InterruptedException {
    long before = ROUNDS.get();
    for (int tries = 0; tries < 2000 && ROUNDS.get() < before + 20; tries++) {
      Thread.sleep(10);
    }
    boolean going = ROUNDS.get() >= before + 20;
    out.printf(
        "%s jvm-threads %d rounds, %d faults%n",
        going && FAULTS.get() == 0 ? "ok" : "bad", ROUNDS.get(), FAULTS.get());
    long generation = GENERATION.get();
    for (int tries = 0; tries < 2000 && GENERATION.get() < generation + 2; tries++) {
      Thread.sleep(10);
    }
    out.printf(
        "%s jvm-generations %d%n",
        GENERATION.get() >= generation + 2 && FAULTS.get() == 0 ? "ok" : "bad", GENERATION.get());
    System.gc();
    out.printf("%s jvm-clock%n", BACKWARD.get() == 0 ? "ok" : "bad");
    out.println("end");
  }
}
