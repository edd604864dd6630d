package io.twinkernel.control.rest;

import io.twinkernel.control.engine.NodeStatus;
import io.twinkernel.control.upgrade.State;
import io.twinkernel.control.upgrade.Upgrade;
import java.util.List;

/** Figures in the text format of Prometheus, version 0.0.4. */
final class Metrics {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private Metrics() {}

  static String of(List<Upgrade> upgrades, List<NodeStatus> nodes) {
    var text = new StringBuilder();
    gauge(text, "twinkernel_nodes", "Nodes that have been heard of.");
    text.append("twinkernel_nodes ").append(nodes.size()).append('\n');
    gauge(text, "twinkernel_nodes_connected", "Nodes of which a broker is connected.");
    long connected = nodes.stream().filter(NodeStatus::connected).count();
    text.append("twinkernel_nodes_connected ").append(connected).append('\n');
    gauge(text, "twinkernel_upgrades", "Upgrades by their state.");
    for (State state : State.values()) {
      long count = upgrades.stream().filter(upgrade -> upgrade.state() == state).count();
      text.append("twinkernel_upgrades{state=\"%s\"} %d\n".formatted(state, count));
    }
    return text.toString();
  }

  private static void gauge(StringBuilder text, String name, String help) {
    text.append("# HELP %s %s\n# TYPE %s gauge\n".formatted(name, help, name));
  }
}
