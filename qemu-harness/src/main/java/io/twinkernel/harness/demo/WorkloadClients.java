package io.twinkernel.harness.demo;

/** Clients outside of one of the workloads. */
sealed interface WorkloadClients extends AutoCloseable permits KeepAliveClients, HalfClosedClients {
  /** Ends the clients; what they found, as {@code ok NAME WHAT} or {@code bad NAME WHY}. */
  String finish();

  /** Ends them without a word. */
  @Override
  void close();
}
