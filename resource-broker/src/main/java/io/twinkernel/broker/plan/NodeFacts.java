package io.twinkernel.broker.plan;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.ffi.TwinInfo;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a machine and the kernel on it are.
 *
 * @param uid effective user id of this process
 * @param lockdown {@code none}, {@code integrity} or {@code confidentiality}
 * @param kexecDisabled whether kernel.kexec_load_disabled is set
 * @param crashImageLoaded whether a crash kernel is loaded already, as kdump does
 * @param release of this kernel
 * @param iomem the physical address space
 * @param module what the twin module says; empty where it is not loaded
 * @param present CPUs that the machine has
 * @param online CPUs that run
 * @param hotpluggable CPUs that can be taken offline
 * @param apicIds of the online CPUs, by logical number
 * @param functions every PCI function
 * @param interruptsRemapped whether an IOMMU takes the devices' interrupts, by this kernel's table
 * @param hostBridges root buses that this kernel was given as such by the one before it, and can
 *     pass on
 * @param availableBytes memory that processes can still get
 * @param lendableBytes memory that this kernel could let go of, in whole blocks, as far as that was
 *     asked for
 */
public record NodeFacts(
    int uid,
    String lockdown,
    boolean kexecDisabled,
    boolean crashImageLoaded,
    String release,
    IoMem iomem,
    Optional<TwinInfo> module,
    List<Integer> present,
    List<Integer> online,
    Set<Integer> hotpluggable,
    Map<Integer, Integer> apicIds,
    List<PciFunction> functions,
    boolean interruptsRemapped,
    List<HostBridge> hostBridges,
    long availableBytes,
    long lendableBytes) {

  /** Keeps the collections from changing. */
  public NodeFacts {
    present = List.copyOf(present);
    online = List.copyOf(online);
    hotpluggable = Set.copyOf(hotpluggable);
    apicIds = Map.copyOf(apicIds);
    functions = List.copyOf(functions);
    hostBridges = List.copyOf(hostBridges);
  }

  /** The same with so much memory to let go of. */
  public NodeFacts withLendable(long bytes) {
    return new NodeFacts(
        uid,
        lockdown,
        kexecDisabled,
        crashImageLoaded,
        release,
        iomem,
        module,
        present,
        online,
        hotpluggable,
        apicIds,
        functions,
        interruptsRemapped,
        hostBridges,
        availableBytes,
        bytes);
  }

  /** The PCI function at an address; empty where there is none. */
  Optional<PciFunction> function(String address) {
    return functions.stream().filter(one -> one.address().equals(address)).findFirst();
  }

  /** Bytes in which a second kernel starts, the shared region included; 0 if there are none. */
  public long crashBytes() {
    if (module.isPresent()) {
      TwinInfo info = module.get();
      return info.crash().map(TwinInfo.Range::size).orElse(0L)
          + info.shared().map(TwinInfo.Range::size).orElse(0L);
    }
    return iomem.named("Crash kernel").stream().mapToLong(IoMem.Range::size).max().orElse(0);
  }
}
