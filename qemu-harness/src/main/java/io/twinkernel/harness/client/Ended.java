package io.twinkernel.harness.client;

import java.io.IOException;
import java.net.SocketTimeoutException;

/** How a connection ended. */
public sealed interface Ended {

  /** In a few words, for reports. */
  default String label() {
    return switch (this) {
      case Open() -> "open";
      case Reset(String why) -> "reset: " + why;
      case Silent(String why) -> "silent: " + why;
      case Wrong(String why) -> "wrong: " + why;
    };
  }

  /** By what went wrong on it. */
  static Ended by(IOException why) {
    return why instanceof SocketTimeoutException
        ? new Silent(why.toString())
        : new Reset(why.toString());
  }

  /** It was still open, and answering, when the run stopped it. */
  record Open() implements Ended {}

  /** The peer or the network ended it: a reset or an end of stream. */
  record Reset(String why) implements Ended {}

  /** A request was not answered within the time allowed. */
  record Silent(String why) implements Ended {}

  /** The server answered, but not what was asked. */
  record Wrong(String why) implements Ended {}
}
