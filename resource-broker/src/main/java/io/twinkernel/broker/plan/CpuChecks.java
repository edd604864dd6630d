package io.twinkernel.broker.plan;

import io.twinkernel.broker.image.KernelImage;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether CPUs can be given away. */
final class CpuChecks {

  private static final Pattern VERSION = Pattern.compile("([0-9]{1,4})\\.([0-9]{1,4})");

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

  /**
   * B numbers its CPUs in the order of its tables, the machine's boot CPU before its others. From
   * 6.9 on a kernel knows that it must not start that one (arch/x86/kernel/cpu/topology.c).
   */
  static void check(KernelImage kernel, PlanRequest request, List<Refusal> refusals) {
    if (request.cpus().size() > 1 && !knowsBootCpu(kernel.release())) {
      refusals.add(
          new Refusal(
              "too-many-cpus",
              "CPUs " + request.cpus(),
              "kernel " + kernel.release() + " would start the machine's boot CPU, and so reset it",
              "name one CPU; it gets the others after the switch"));
    }
  }

  private static boolean knowsBootCpu(String release) {
    Matcher version = VERSION.matcher(release);
    if (!version.lookingAt()) {
      return false;
    }
    int major = Integer.parseInt(version.group(1));
    return major > 6 || (major == 6 && Integer.parseInt(version.group(2)) >= 9);
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
              "name another one; the boot CPU stays with the kernel that leaves"));
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
