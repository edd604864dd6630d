package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.IpAddress;
import io.twinkernel.broker.net.Route;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StandInInterfaceTest {
  private static final Route DEFAULT =
      new Route(null, 0, false, IpAddress.parse("10.99.0.1"), null, 254, 0, 3, 0, false);

  @Test
  void allItsRoutesAreWorseThanTheNics() {
    var state =
        new InterfaceState(
            "eth0",
            "52:54:00:12:34:56",
            1500,
            true,
            List.of(
                InterfaceAddress.parse("10.99.3.2/22"), InterfaceAddress.parse("fd00:1::2/100")),
            List.of(DEFAULT),
            List.of());

    InterfaceState least = StandInInterface.least(state);

    assertThat(least.addresses()).allMatch(InterfaceAddress::noPrefixRoute);
    assertThat(least.routes())
        .extracting(route -> route.toString() + " " + route.metric())
        .containsExactly(
            "10.99.0.0/22 2147483647",
            "fd00:1::/100 2147483647",
            "default via 10.99.0.1 2147483647");
  }
}
