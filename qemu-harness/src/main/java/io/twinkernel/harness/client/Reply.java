package io.twinkernel.harness.client;

import java.util.List;

/** A RESP2 reply (Redis serialization protocol specification, "RESP protocol description"). */
public sealed interface Reply {

  /** {@code +OK} and the like. */
  record Status(String text) implements Reply {}

  /** {@code -ERR ...}: the server understood and refused. */
  record Failure(String text) implements Reply {}

  /** {@code :n}. */
  record Count(long value) implements Reply {}

  /** {@code $n}: bytes as they came, each as one ISO 8859-1 character. */
  record Bulk(String text) implements Reply {}

  /** {@code $-1} or {@code *-1}: there is nothing under this name. */
  record Nil() implements Reply {}

  /** {@code *n}. */
  record Items(List<Reply> replies) implements Reply {}
}
