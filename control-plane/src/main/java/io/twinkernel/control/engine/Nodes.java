package io.twinkernel.control.engine;

import io.twinkernel.control.upgrade.Role;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The machines that have been heard of, and their brokers; used on the conductor's thread only. */
final class Nodes {
  private final Map<String, Map<Role, BrokerLink>> links = new TreeMap<>();

  private Map<Role, BrokerLink> of(String node) {
    return links.computeIfAbsent(node, _ -> new EnumMap<>(Role.class));
  }

  void know(String node) {
    of(node);
  }

  boolean knows(String node) {
    return links.containsKey(node);
  }

  boolean connected(String node) {
    return knows(node) && !of(node).isEmpty();
  }

  Set<String> names() {
    return Set.copyOf(links.keySet());
  }

  /** An older connection of the same broker is dead, and is closed. */
  void add(BrokerLink link) {
    BrokerLink former = of(link.node()).put(link.role(), link);
    if (former != null) {
      former.close();
    }
  }

  /** False if it was replaced or dropped before. */
  boolean remove(BrokerLink link) {
    return of(link.node()).remove(link.role(), link);
  }

  /** Breaks that broker's connection, if there is one. */
  void drop(String node, Role role) {
    BrokerLink link = of(node).remove(role);
    if (link != null) {
      link.close();
    }
  }

  Optional<BrokerLink> broker(String node, Role role) {
    return Optional.ofNullable(of(node).get(role));
  }

  List<NodeStatus.Broker> brokers(String node) {
    return of(node).values().stream()
        .map(link -> new NodeStatus.Broker(link.role(), link.kernel(), link.tscKhz()))
        .toList();
  }
}
