package io.twinkernel.broker.plan;

import io.twinkernel.broker.image.InitrdImage;
import io.twinkernel.broker.image.KernelImage;
import io.twinkernel.broker.image.ModuleInfo;
import io.twinkernel.ffi.TwinInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Says everything that is in the way of an upgrade. A pure function: equal facts give equal
 * refusals in equal order.
 */
public final class Preflight {

  /** What the ACPI tables and the I/O APIC in them can address. */
  private static final long FOUR_GIB = 1L << 32;

  private Preflight() {}

  /** Every refusal; empty: the upgrade can be. */
  public static List<Refusal> refusals(NodeFacts node, PlanFiles files, PlanRequest request) {
    List<Refusal> refusals = new ArrayList<>();
    privileges(node, refusals);
    module(node, refusals);
    refusals.addAll(files.refusals());
    versions(files, refusals);
    files
        .kernel()
        .ifPresent(kernel -> KernelChecks.check(node.release(), kernel.release(), refusals));
    crashRegion(node, files, request, refusals);
    memory(node, files, request, refusals);
    CpuChecks.check(node, request, refusals);
    BusChecks.check(node, request, refusals);
    return List.copyOf(refusals);
  }

  private static void privileges(NodeFacts node, List<Refusal> refusals) {
    if (node.uid() != 0) {
      refusals.add(
          new Refusal(
              "not-root",
              "the broker",
              "it runs as user " + node.uid() + " and may not load kernels",
              "run it as root"));
    }
    if (!node.lockdown().equals("none")) {
      refusals.add(
          new Refusal(
              "locked-down",
              "kernel " + node.release(),
              "its lockdown mode is '"
                  + node.lockdown()
                  + "': it loads no unsigned module or image",
              "boot with lockdown=none and secure boot off"));
    }
    if (node.kexecDisabled()) {
      refusals.add(
          new Refusal(
              "kexec-disabled",
              "kernel " + node.release(),
              "kernel.kexec_load_disabled is 1, which lasts until it boots again",
              "remove the setting from /etc/sysctl.d and boot once more"));
    }
    if (node.crashImageLoaded() && !twinAtWork(node)) {
      refusals.add(
          new Refusal(
              "crash-kernel-loaded",
              "the crash region",
              "a crash kernel is loaded in it already",
              "stop kdump and unload its kernel: kexec -p -u"));
    }
  }

  private static void module(NodeFacts node, List<Refusal> refusals) {
    if (node.module().isEmpty()) {
      refusals.add(
          new Refusal(
              "module-missing",
              "/dev/twin",
              "the module 'twin' is not loaded",
              "modprobe twin; it is built for kernel " + node.release() + " by DKMS"));
      return;
    }
    TwinInfo info = node.module().get();
    if (info.abi() != TwinInfo.ABI) {
      refusals.add(
          new Refusal(
              "module-wrong-abi",
              "the module 'twin'",
              "it speaks interface " + info.abi() + ", this broker " + TwinInfo.ABI,
              "install module and broker of the same release and load the module again"));
    }
    if (twinAtWork(node)) {
      refusals.add(
          new Refusal(
              "upgrade-under-way",
              "the module 'twin'",
              "it is in state " + info.state() + ": another upgrade has not ended",
              "wait for it or roll it back"));
    }
    if (info.ecam().isEmpty()) {
      refusals.add(
          new Refusal(
              "no-ecam",
              "PCI configuration",
              "this machine has no memory-mapped configuration space (MCFG)",
              "two kernels cannot share ports 0xcf8 and 0xcfc: use another machine"));
    }
  }

  private static boolean twinAtWork(NodeFacts node) {
    return node.module().isPresent()
        && (node.module().get().state() == TwinInfo.State.ARMED
            || node.module().get().state() == TwinInfo.State.RUNNING);
  }

  /** The modules in an initrd must be those of the kernel beside it. */
  private static void versions(PlanFiles files, List<Refusal> refusals) {
    if (files.kernel().isEmpty() || files.initrd().isEmpty()) {
      return;
    }
    KernelImage kernel = files.kernel().get();
    InitrdImage initrd = files.initrd().get();
    for (ModuleInfo module : initrd.twinModules()) {
      if (!module.release().equals(kernel.release())) {
        refusals.add(
            new Refusal(
                "module-wrong-version",
                module.path() + " in " + initrd.path(),
                "it is built for '"
                    + module.release()
                    + "', the kernel is '"
                    + kernel.release()
                    + "', which will not load it",
                "build the module for that kernel and make the initrd anew"));
      }
    }
  }

  private static void crashRegion(
      NodeFacts node, PlanFiles files, PlanRequest request, List<Refusal> refusals) {
    long size = node.crashBytes();
    boolean high =
        node.module().isPresent()
            ? node.module().get().crash().map(TwinInfo.Range::end).orElse(0L) > FOUR_GIB
            : node.iomem().named("Crash kernel").stream().anyMatch(one -> one.end() >= FOUR_GIB);
    if (size == 0) {
      refusals.add(
          new Refusal(
              "no-crash-region",
              "memory for the second kernel",
              "this kernel was booted without crashkernel=",
              "add crashkernel="
                  + MemoryNeed.of(files, request).advice()
                  + " to its command line and boot once more"));
      return;
    }
    if (high) {
      refusals.add(
          new Refusal(
              "crash-region-too-high",
              "the crash region",
              "it reaches beyond 4 GiB, where the second kernel's tables cannot lie",
              "use crashkernel=SIZE without ',high'"));
    }
    MemoryNeed need = MemoryNeed.of(files, request);
    if (files.refusals().isEmpty() && size < need.start()) {
      refusals.add(
          new Refusal(
              "crash-region-too-small",
              "the crash region of " + MemoryNeed.mebibytes(size),
              "the second kernel needs about " + need + "; all but the processes must fit",
              "boot with crashkernel=" + need.advice()));
    }
  }

  private static void memory(
      NodeFacts node, PlanFiles files, PlanRequest request, List<Refusal> refusals) {
    long crash = node.crashBytes();
    long lent = crash == 0 ? 0 : MemoryNeed.of(files, request).lent(crash, 0);
    if (files.refusals().isEmpty() && lent > node.lendableBytes()) {
      refusals.add(
          new Refusal(
              "not-enough-memory-to-lend",
              "memory for the second kernel",
              "beside its crash region of "
                  + MemoryNeed.mebibytes(crash)
                  + " it needs "
                  + MemoryNeed.mebibytes(lent)
                  + " for the processes, and of this kernel's memory blocks only "
                  + MemoryNeed.mebibytes(node.lendableBytes())
                  + " hold nothing that must stay where it is",
              "free memory, add some, or boot with a larger crashkernel="));
    }
    // The images of the processes lie here until they are sent.
    if (node.availableBytes() < request.processBytes() + lent) {
      refusals.add(
          new Refusal(
              "not-enough-memory",
              "memory for the images of the processes",
              "they have "
                  + MemoryNeed.mebibytes(request.processBytes())
                  + " resident, and "
                  + MemoryNeed.mebibytes(lent)
                  + " go to the second kernel, but only "
                  + MemoryNeed.mebibytes(node.availableBytes())
                  + " are available",
              "free memory, or stop what need not move"));
    }
  }
}
