package io.twinkernel.broker.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.PciBar;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class BusAheadTest {
  private static BusAhead over(BusAhead bus) throws Exception {
    return BusAhead.fromJson(new Fields(Json.parse(Json.write(bus.toJson()))));
  }

  @Test
  void comesOverAsItIs() throws Exception {
    var known =
        new BusAhead(
            0x84,
            0x85,
            Optional.of(
                List.of(
                    new PciBar(0x8400, 0x10, true, 0x4000),
                    new PciBar(0x8500, 0x30, false, 0x10000))));
    assertThat(over(known)).isEqualTo(known);
  }

  @Test
  void oneWithoutFunctionsIsNotOneThatIsNotKnown() throws Exception {
    var empty = new BusAhead(0x84, 0x84, Optional.of(List.of()));
    var unknown = new BusAhead(0x84, 0x84, Optional.empty());
    assertThat(over(empty)).isEqualTo(empty).isNotEqualTo(unknown);
    assertThat(over(unknown)).isEqualTo(unknown);
  }
}
