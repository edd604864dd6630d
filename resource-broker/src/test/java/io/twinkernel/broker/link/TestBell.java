package io.twinkernel.broker.link;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Wakes threads as the interrupt wakes kernels. */
public final class TestBell implements Doorbell {
  private final Semaphore other;
  private final Semaphore own;
  private final AtomicInteger rung = new AtomicInteger();

  /**
   * @param other the other side's
   */
  public TestBell(Semaphore other, Semaphore own) {
    this.other = other;
    this.own = own;
  }

  /** How often this side has rung. */
  public int rung() {
    return rung.get();
  }

  @Override
  public void ring() {
    rung.incrementAndGet();
    other.release();
  }

  @Override
  public boolean await(Duration timeout) throws IOException {
    try {
      return own.tryAcquire(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
