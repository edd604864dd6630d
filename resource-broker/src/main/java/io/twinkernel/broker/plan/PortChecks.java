package io.twinkernel.broker.plan;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whether the service can go over to a NIC that B has in the service's network. */
public final class PortChecks {
  private static final int NETWORK = 0x02; // base class, PCI Code and ID Assignment 1.11

  private PortChecks() {}

  /**
   * Looks at both NICs.
   *
   * @param root where sysfs is found
   * @return why not; empty also where no such NIC is asked for
   */
  public static List<Refusal> refusals(Path root, NodeFacts node, PlanRequest request)
      throws IOException {
    var refusals = new ArrayList<Refusal>();
    if (request.port().isEmpty()) {
      return refusals;
    }
    String port = request.port().get();
    if (node.function(port).filter(one -> one.classCode() >> 16 == NETWORK).isEmpty()) {
      refusals.add(
          new Refusal(
              "service-port-missing",
              "PCI function " + port,
              "service.ports names it, and this machine has no network controller there",
              "name NICs in the service's network, or none: then the service's own goes over"));
    }
    for (String name :
        node.function(request.serviceFunction()).map(PciFunction::interfaces).orElse(List.of())) {
      above(root, name, refusals);
    }
    return List.copyOf(refusals);
  }

  /** What comes in by an interface that belongs to another one cannot be held for B. */
  private static void above(Path root, String name, List<Refusal> refusals) throws IOException {
    Path folder = root.resolve("sys/class/net").resolve(name);
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> uppers = Files.newDirectoryStream(folder, "upper_*")) {
      for (Path upper : uppers) {
        String other = upper.getFileName().toString().substring("upper_".length());
        refusals.add(
            new Refusal(
                "service-interface-enslaved",
                "network interface " + name,
                "the interface " + other + " is above it, and does not move",
                "give the service an interface of its own, or leave service.ports out"));
      }
    }
  }
}
