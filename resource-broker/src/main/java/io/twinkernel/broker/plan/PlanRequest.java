package io.twinkernel.broker.plan;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What an upgrade is asked to do.
 *
 * @param image bzImage of the second kernel
 * @param initrd its initial RAM file system
 * @param cpus logical CPUs that it gets when it starts
 * @param buses PCI buses that it gets when it starts, as in {@code 0000:82}
 * @param serviceFunction PCI address of the NIC that carries the service, as in {@code
 *     0000:81:00.0}
 * @param port PCI address of a NIC on one of the buses that the service gets; empty where its own
 *     goes over
 * @param sharedBytes size of the region that both kernels share
 * @param processBytes resident memory of the processes that move
 */
public record PlanRequest(
    Path image,
    Path initrd,
    List<Integer> cpus,
    List<String> buses,
    String serviceFunction,
    Optional<String> port,
    long sharedBytes,
    long processBytes) {

  /** Keeps the lists from changing. */
  public PlanRequest {
    cpus = List.copyOf(cpus);
    buses = List.copyOf(buses);
  }

  /** The bus of the service's NIC. */
  String serviceBus() {
    int colon = serviceFunction.lastIndexOf(':');
    return colon < 0 ? serviceFunction : serviceFunction.substring(0, colon);
  }
}
