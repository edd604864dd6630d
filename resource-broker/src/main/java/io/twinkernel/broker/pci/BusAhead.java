package io.twinkernel.broker.pci;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.PciBar;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A bus that another kernel will get, and what it needs to know to enumerate it before that.
 *
 * @param first its number
 * @param last the last one behind it
 * @param bars of all functions there; empty if they are not known, and it cannot be enumerated
 *     before it comes
 */
public record BusAhead(int first, int last, Optional<List<PciBar>> bars) {
  private static final Path DEVICES = Path.of("/sys/bus/pci/devices");

  /** Keeps the list from changing. */
  public BusAhead {
    bars = bars.map(List::copyOf);
  }

  /** A bus of this kernel's. */
  public static BusAhead of(HostBridge bridge) throws IOException {
    return new BusAhead(bridge.startBus(), bridge.endBus(), PciBars.behind(DEVICES, bridge));
  }

  /**
   * Enumerates it, without a write reaching it. What is left then is to adopt it by the same table,
   * as it is where it could not be enumerated.
   *
   * @param ssdt that describes it
   */
  public void prepare(TwinDevice device, byte[] ssdt) throws SyscallException {
    if (bars.isPresent()) {
      device.preparePci(ssdt, first, last, bars.get());
    }
  }

  /** For {@link #fromJson}. */
  public Map<String, Object> toJson() {
    return Map.of(
        "first",
        first,
        "last",
        last,
        "enumerable",
        bars.isPresent(),
        "bars",
        PciBars.toJson(bars.orElse(List.of())));
  }

  /** The opposite of {@link #toJson}. */
  public static BusAhead fromJson(Fields bus) throws IOException {
    List<PciBar> bars = PciBars.fromJson(bus.objects("bars"));
    return new BusAhead(
        Math.toIntExact(bus.number("first")),
        Math.toIntExact(bus.number("last")),
        bus.flag("enumerable") ? Optional.of(bars) : Optional.empty());
  }
}
