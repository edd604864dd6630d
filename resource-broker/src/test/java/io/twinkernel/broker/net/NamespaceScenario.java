package io.twinkernel.broker.net;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Errno;
import java.time.Duration;
import java.util.List;

/**
 * What {@link RtnetlinkTest} runs in a process whose network namespace is its own. The {@code ip}
 * command prepares and judges.
 */
final class NamespaceScenario {

  private NamespaceScenario() {}

  /** Runs the scenario that is named. */
  public static void main(String[] arguments) throws Exception {
    ip("link set lo up");
    switch (arguments[0]) {
      case "move" -> move();
      case "twice" -> twice();
      case "loopback" -> loopback();
      case "clear" -> clear();
      case "multipath" -> multipath();
      case "errors" -> errors();
      case "many" -> many();
      case "carrier" -> carrier();
      case "rules" -> rules();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** One end of a veth pair is configured; its configuration goes to another interface. */
  private static void move() throws Exception {
    configure("old");
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      InterfaceState state = rtnetlink.state("old");
      assertThat(state.mtu()).isEqualTo(1400);
      assertThat(state.mac()).isEqualTo("52:54:00:00:00:01");
      assertThat(state.addresses())
          .extracting(InterfaceAddress::toString)
          .contains("10.99.0.2/24", "10.99.0.3/24", "10.5.5.1/32 peer 10.5.5.2", "fd00::2/64");
      String before = described("old");
      ip("link del old");
      ip("link add new address 52:54:00:00:00:01 type veth peer name far");
      ip("link set far up");
      rtnetlink.apply(InterfaceState.fromBytes(state.toBytes()), "new");
      assertThat(described("new")).isEqualTo(before);
      assertThat(output("ip -6 addr show dev new")).contains("fd00::2/64").doesNotContain("tent");
      assertThat(output("ip neigh show dev new"))
          .contains("10.99.0.1 lladdr 52:54:00:00:00:99 REACHABLE")
          .contains("10.99.0.9 lladdr 52:54:00:00:00:98 PERMANENT");
      assertThat(rtnetlink.state("new").addresses()).containsAll(state.addresses());
    }
  }

  private static void twice() throws Exception {
    configure("old");
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      InterfaceState state = rtnetlink.state("old");
      String before = described("old");
      rtnetlink.apply(state, "old");
      rtnetlink.apply(state, "old");
      assertThat(described("old")).isEqualTo(before);
      rtnetlink.down("old");
      assertThat(rtnetlink.link("old").up()).isFalse();
      assertThat(output("ip route show")).doesNotContain("old");
      rtnetlink.apply(state, "old");
      assertThat(described("old")).isEqualTo(before);
      assertThat(rtnetlink.link("old").up()).isTrue();
    }
  }

  /** Those that a kernel has by itself are none. */
  private static void rules() throws Exception {
    assertThat(NetworkRules.read()).isEmpty();
    ip("rule add from 10.99.0.0/24 table 100 priority 1000");
    ip("-6 rule add fwmark 7 table 101 priority 32766");
    assertThat(NetworkRules.read())
        .containsExactlyInAnyOrder(
            "routing rule 1000, to table 100", "routing rule 32766, to table 101");
    ip("rule add fwmark 9 table main priority 32766");
    assertThat(NetworkRules.read()).hasSize(3);
    ip("rule del fwmark 9");
    ip("rule del priority 1000");
    ip("-6 rule del table 101");
    assertThat(NetworkRules.read()).isEmpty();
    // By nf_tables or the older filter, whichever this host's command uses.
    output("iptables -A INPUT -p tcp --dport 6379 -j ACCEPT");
    assertThat(NetworkRules.read()).singleElement().asString().endsWith("tables' table filter");
  }

  /** One end of a veth pair has its carrier when the other one is up. */
  private static void carrier() throws Exception {
    ip("link add near type veth peer name far");
    try (Rtnetlink rtnetlink = Rtnetlink.open();
        LinkWatch links = LinkWatch.open()) {
      rtnetlink.up("near");
      int near = rtnetlink.link("near").index();
      assertThat(links.awaitCarrier(near, Duration.ofMillis(100))).isFalse();
      assertThat(rtnetlink.link("near").carrier()).isFalse();
      Thread other = Thread.ofPlatform().start(NamespaceScenario::setFarUp);
      assertThat(links.awaitCarrier(near, Duration.ofSeconds(30))).isTrue();
      other.join();
      assertThat(rtnetlink.link("near").carrier()).isTrue();
      rtnetlink.down("near");
    }
    try (Rtnetlink rtnetlink = Rtnetlink.open();
        LinkWatch links = LinkWatch.open()) {
      rtnetlink.up("near");
      int near = rtnetlink.link("near").index();
      assertThat(links.awaitCarrier(near, Duration.ZERO)).as("it was there before").isTrue();
    }
  }

  private static void setFarUp() {
    try {
      ip("link set far up");
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  /** A service address is held on lo until its interface is there. */
  private static void loopback() throws Exception {
    InterfaceAddress address = InterfaceAddress.parse("10.99.0.2/24").alone();
    InterfaceAddress wide = InterfaceAddress.parse("fd00::2/64").alone();
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      rtnetlink.addAddress("lo", address);
      rtnetlink.addAddress("lo", wide);
      rtnetlink.addAddress("lo", address);
      assertThat(output("ip addr show dev lo")).contains("10.99.0.2/32").contains("fd00::2/128");
      rtnetlink.removeAddress("lo", address);
      rtnetlink.removeAddress("lo", wide);
      assertThat(output("ip addr show dev lo")).doesNotContain("10.99").doesNotContain("fd00");
      assertThatThrownBy(() -> rtnetlink.removeAddress("lo", address))
          .isInstanceOf(NetlinkException.class)
          .hasMessageContaining("remove 10.99.0.2/32 from lo: EADDRNOTAVAIL");
    }
  }

  /** It has two addresses of one network, and one that it keeps when it is down. */
  private static void clear() throws Exception {
    configure("old");
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      rtnetlink.clear("old");
      assertThat(rtnetlink.link("old").up()).isFalse();
      assertThat(output("ip addr show dev old")).doesNotContain("inet");
      rtnetlink.up("old");
      assertThat(output("ip route show dev old")).isEmpty();
      rtnetlink.clear("old");
    }
  }

  private static void multipath() throws Exception {
    configure("old");
    ip("route add 10.7.0.0/16 nexthop via 10.99.0.7 dev old nexthop via 10.99.0.8 dev old");
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      assertThatThrownBy(() -> rtnetlink.state("old"))
          .hasMessageContaining("10.7.0.0")
          .hasMessageContaining("several ways");
    }
  }

  private static void errors() throws Exception {
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      assertThatThrownBy(() -> rtnetlink.link("nowhere"))
          .isInstanceOfSatisfying(
              NetlinkException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV))
          .hasMessageContaining("nowhere");
      ip("link add old type veth peer name far-old");
      ip("link set far-old up");
      Route unreachable =
          new Route(
              IpAddress.parse("10.1.0.0"),
              16,
              false,
              IpAddress.parse("10.2.0.1"),
              null,
              254,
              0,
              3,
              0,
              false);
      InterfaceState state =
          new InterfaceState(
              "x",
              "",
              1300,
              true,
              List.of(InterfaceAddress.parse("10.99.0.2/24")),
              List.of(unreachable),
              List.of());
      assertThatThrownBy(() -> rtnetlink.apply(state, "old"))
          .isInstanceOf(NetlinkException.class)
          .hasMessageContaining("add route 10.1.0.0/16 via 10.2.0.1 through old: ENETUNREACH")
          .hasMessageContaining("Nexthop has invalid gateway");
      // What could be done was done, and the socket still works.
      assertThat(rtnetlink.link("old").mtu()).isEqualTo(1300);
    }
  }

  /** More than fits into one answer of the kernel. */
  private static void many() throws Exception {
    ip("link add old type veth peer name far-old");
    ip("link set far-old up");
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      for (int i = 1; i <= 250; i++) {
        rtnetlink.addAddress("old", InterfaceAddress.parse("10.3." + i + ".1/24"));
      }
      InterfaceState state = rtnetlink.state("old");
      assertThat(state.addresses()).hasSize(250);
      ip("link add new type veth peer name far-new");
      ip("link set far-new up");
      rtnetlink.apply(state, "new");
      assertThat(rtnetlink.state("new").addresses()).isEqualTo(state.addresses());
    }
  }

  private static void configure(String name) throws Exception {
    ip("link add " + name + " address 52:54:00:00:00:01 type veth peer name other");
    ip("link set other up");
    ip("link set " + name + " mtu 1400 up");
    ip("addr add 10.99.0.2/24 brd + dev " + name);
    ip("addr add 10.99.0.3/24 dev " + name);
    ip("addr add 10.5.5.1 peer 10.5.5.2 dev " + name);
    ip("addr add 10.6.0.1/16 dev " + name + " noprefixroute");
    ip("addr add fd00::2/64 dev " + name + " nodad");
    ip("route add default via 10.99.0.1 dev " + name + " metric 50");
    ip("route add 10.8.0.0/16 via 10.99.0.8 src 10.99.0.3 dev " + name);
    ip("route add 10.9.0.0/16 via 172.16.0.1 dev " + name + " onlink table 77");
    ip("route add 10.10.0.0/16 via inet6 fd00::1 dev " + name);
    ip("-6 route add default via fd00::1 dev " + name);
    ip("neigh add 10.99.0.1 lladdr 52:54:00:00:00:99 nud stale dev " + name);
    ip("neigh add 10.99.0.9 lladdr 52:54:00:00:00:98 nud permanent dev " + name);
  }

  /** Everything but what differs between any two interfaces: link-local addresses and names. */
  private static String described(String name) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String what :
        List.of("-4 addr show", "-6 addr show scope global", "route show table 77")) {
      text.append(output("ip " + what + " dev " + name));
    }
    text.append(output("ip route show dev " + name));
    text.append(output("ip -6 route show default dev " + name));
    StringBuilder lines = new StringBuilder();
    for (String line : text.toString().split("\n", -1)) {
      if (!line.contains("state UP") && !line.contains("qdisc") && !line.contains("LOWER_UP")) {
        lines.append(line.replace(name, "IF").stripTrailing()).append('\n');
      }
    }
    return lines.toString();
  }

  private static void ip(String arguments) throws Exception {
    output("ip " + arguments);
  }

  private static String output(String command) throws Exception {
    Process process = new ProcessBuilder(command.split(" ", -1)).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(command + ": " + output);
    }
    return output;
  }
}
