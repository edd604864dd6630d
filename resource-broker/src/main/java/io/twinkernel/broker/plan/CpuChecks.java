package io.twinkernel.broker.plan;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether CPUs can be given away. */
final class CpuChecks {

  private CpuChecks() {}

  static void check(NodeFacts node, PlanRequest request, List<Refusal> refusals) {
    if (request.cpus().isEmpty()) {
      refusals.add(
          new Refusal(
              "no-cpu",
              "CPUs of the second kernel",
              "none is named",
              "name at least one of " + node.online() + ", but not the boot CPU"));
    }
    Set<Integer> seen = new HashSet<>();
    for (int cpu : request.cpus()) {
      if (!seen.add(cpu)) {
        refusals.add(
            new Refusal("cpu-twice", "CPU " + cpu, "it is named twice", "name each CPU once"));
      } else {
        check(node, cpu, refusals);
      }
    }
  }

  private static void check(NodeFacts node, int cpu, List<Refusal> refusals) {
    if (!node.present().contains(cpu)) {
      refusals.add(
          new Refusal(
              "unknown-cpu",
              "CPU " + cpu,
              "this machine has CPUs " + node.present(),
              "name CPUs that it has"));
    } else if (!node.online().contains(cpu)) {
      refusals.add(
          new Refusal(
              "cpu-offline",
              "CPU " + cpu,
              "it is offline; only a running CPU can start the second kernel",
              "echo 1 > /sys/devices/system/cpu/cpu" + cpu + "/online"));
    } else if (isBootCpu(node, cpu)) {
      refusals.add(
          new Refusal(
              "boot-cpu",
              "CPU " + cpu,
              "it is the machine's boot CPU: starting it again would reset the machine",
              "name another one; the boot CPU follows when this kernel has left"));
    } else if (!node.hotpluggable().contains(cpu)) {
      refusals.add(
          new Refusal(
              "cpu-not-hotpluggable",
              "CPU " + cpu,
              "this kernel cannot take it offline",
              "name another one"));
    }
  }

  private static boolean isBootCpu(NodeFacts node, int cpu) {
    Integer apicId = node.apicIds().get(cpu);
    if (node.module().isEmpty() || apicId == null) {
      return cpu == 0;
    }
    return apicId.intValue() == node.module().get().bootApicId();
  }
}
