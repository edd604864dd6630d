package io.twinkernel.broker.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The namespaces of this broker, which are the machine's: there is one like each in the other
 * kernel.
 *
 * @param byKind a kind that is missing is not compared
 * @param ipc as {@code ipc:[4026531839]}; empty if that is not known
 */
record HomeNamespaces(Map<Namespace, String> byKind, String ipc) {

  HomeNamespaces {
    byKind = Map.copyOf(byKind);
  }

  /**
   * @param broker empty if it is not among the processes that were read
   */
  static HomeNamespaces of(Optional<ProcessFacts> broker) {
    return new HomeNamespaces(
        broker.map(ProcessFacts::namespaces).orElse(Map.of()),
        broker.map(ProcessFacts::ipcNamespace).orElse(""));
  }

  /** The kinds of which a process has others. */
  List<Namespace> foreign(ProcessFacts process) {
    return Namespace.all().stream().filter(kind -> foreign(process, kind)).toList();
  }

  /** Whether a process is in another namespace of a kind. */
  boolean foreign(ProcessFacts process, Namespace kind) {
    return kind.differs(byKind, process.namespaces());
  }

  /** Whether a process is in the machine's IPC namespace, with its System V memory. */
  boolean isIpcOf(ProcessFacts process) {
    return process.ipcNamespace().equals(ipc);
  }
}
