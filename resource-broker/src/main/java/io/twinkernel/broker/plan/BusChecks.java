package io.twinkernel.broker.plan;

import io.twinkernel.broker.acpi.HostBridge;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether PCI buses can be given away. */
final class BusChecks {

  private BusChecks() {}

  static void check(NodeFacts node, PlanRequest request, List<Refusal> refusals) {
    Set<String> seen = new HashSet<>();
    for (String bus : request.buses()) {
      if (!seen.add(bus)) {
        refusals.add(
            new Refusal("bus-twice", "PCI bus " + bus, "it is named twice", "name each bus once"));
      } else if (bus.equals(request.serviceBus())) {
        refusals.add(
            new Refusal(
                "bus-carries-service",
                "PCI bus " + bus,
                "the service's NIC " + request.serviceFunction() + " is on it; it goes over last",
                "leave the bus out: it is handed over at the switch"));
      } else if (behindPort(node, bus, refusals)) {
        unused(node, bus, "", refusals);
      }
    }
    service(node, request, refusals);
  }

  private static void service(NodeFacts node, PlanRequest request, List<Refusal> refusals) {
    PciFunction service = node.function(request.serviceFunction()).orElse(null);
    if (service == null || service.interfaces().isEmpty()) {
      refusals.add(
          new Refusal(
              "service-nic-missing",
              "PCI function " + request.serviceFunction(),
              service == null
                  ? "this machine has none of that address"
                  : service.driver().isEmpty()
                      ? "no driver is bound to it"
                      : "its driver " + service.driver() + " makes no network interface",
              "set service.interface.pci to the address of the NIC that carries the service"));
    } else if (request.port().isEmpty()) {
      switched(node, service.bus(), request.serviceFunction(), refusals);
    }
  }

  /** A bus that goes over at the switch, for the sake of one function. */
  static void switched(NodeFacts node, String bus, String function, List<Refusal> refusals) {
    if (behindPort(node, bus, refusals)) {
      unused(node, bus, function, refusals);
    }
  }

  /** Whether the bus, and with it everything on it, hangs on a port of its own. */
  private static boolean behindPort(NodeFacts node, String bus, List<Refusal> refusals) {
    int number = PciFunction.number(bus);
    boolean exists = false;
    for (PciFunction function : node.functions()) {
      exists |= function.bus().equals(bus);
      if (number >= 0 && function.secondaryBus() == (number & 0xff) && function.leadsTo(number)) {
        return true;
      }
    }
    for (HostBridge bridge : node.hostBridges()) {
      if (exists && bridge.startBus() == number) {
        return true;
      }
    }
    refusals.add(
        exists
            ? new Refusal(
                "bus-not-behind-a-port",
                "PCI bus " + bus,
                "it is a root bus: its devices cannot be told apart for two kernels",
                "put the device behind a root port of its own")
            : new Refusal(
                "unknown-bus",
                "PCI bus " + bus,
                number < 0 ? "that is not SEGMENT:BUS" : "no bridge of this machine leads to it",
                "name a bus such as 0000:82; 'lspci -t' shows them"));
    return false;
  }

  /** Refuses what is used of a bus and the buses behind it, but for one function. */
  private static void unused(NodeFacts node, String bus, String except, List<Refusal> refusals) {
    int number = PciFunction.number(bus);
    int last = number;
    for (PciFunction function : node.functions()) {
      if (function.secondaryBus() == (number & 0xff) && function.leadsTo(number)) {
        last = (number & ~0xff) | function.subordinateBus();
      }
    }
    for (HostBridge bridge : node.hostBridges()) {
      if (bridge.startBus() == number) {
        last = bridge.endBus();
      }
    }
    for (PciFunction function : node.functions()) {
      if (function.busNumber() < number || function.busNumber() > last) {
        continue;
      }
      if (!function.uses().isEmpty() && !function.address().equals(except)) {
        refusals.add(
            new Refusal(
                "bus-in-use",
                "PCI bus " + bus,
                "it also carries "
                    + function.address()
                    + (function.driver().isEmpty() ? "" : " (" + function.driver() + ")")
                    + ", which this kernel needs: "
                    + String.join(", ", function.uses()),
                "free the device first, or leave the bus out"));
      }
      if (function.iommu().startsWith("DMA")) {
        refusals.add(
            new Refusal(
                "iommu-translates",
                "PCI function " + function.address(),
                "the IOMMU translates its addresses by this kernel's tables",
                "boot with iommu=pt"));
      }
    }
  }
}
