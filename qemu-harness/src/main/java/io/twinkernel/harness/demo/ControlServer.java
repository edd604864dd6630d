package io.twinkernel.harness.demo;

import java.nio.file.Path;

final class ControlServer implements AutoCloseable {
  static final int BROKER_PORT = 7441;

  static ControlServer start(Path journal, String token) {
    if (token.isEmpty()) {
      throw new IllegalArgumentException(journal.toString());
    }
    return new ControlServer();
  }

  int restPort() {
    return 7440;
  }

  int bridgePort() {
    return 7442;
  }

  @Override
  public void close() {}
}
