package io.twinkernel.broker.plan;

import java.util.List;

/** Whether the interrupts of the other kernel's devices arrive. */
public final class InterruptChecks {

  private InterruptChecks() {}

  /**
   * What is in their way.
   *
   * @param pass whether the operator says that the IOMMU lets those pass that are not in its table
   */
  public static List<Refusal> refusals(NodeFacts node, boolean pass) {
    return node.interruptsRemapped() && !pass
        ? List.of(
            new Refusal(
                "interrupts-remapped",
                "the interrupts of PCI devices",
                "the IOMMU lets none pass that is not in this kernel's table, and none of the"
                    + " other kernel's devices is",
                "boot with intremap=off; where the IOMMU is one that lets them pass all the same,"
                    + " as QEMU's does, set iommu.interrupts=pass in node.conf"))
        : List.of();
  }
}
