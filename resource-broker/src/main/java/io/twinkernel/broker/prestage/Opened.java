package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** What is closed again, the last first, if not all that is needed can be had. */
final class Opened implements AutoCloseable {
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  /** One more. */
  <T extends AutoCloseable> T add(T one) {
    opened.push(one);
    return one;
  }

  /** All of it can be had. */
  void keep() {
    opened.clear();
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (AutoCloseable one : opened) {
      try {
        one.close();
      } catch (Exception e) {
        failure = e instanceof IOException io ? io : new IOException(e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
