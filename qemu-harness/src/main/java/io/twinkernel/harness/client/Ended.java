package io.twinkernel.harness.client;

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

  /** It was still open, and answering, when the run stopped it. */
  record Open() implements Ended {}

  /** The peer or the network ended it: a reset or an end of stream. */
  record Reset(String why) implements Ended {}

  /** A request was not answered within the time allowed. */
  record Silent(String why) implements Ended {}

  /** The server answered, but not what was asked. */
  record Wrong(String why) implements Ended {}
}
