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
 * @param hostBridges root buses that this kernel was given as such by the one before it, and can
 *     pass on
 * @param availableBytes memory that processes can still get
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
    List<HostBridge> hostBridges,
    long availableBytes) {

  /** Keeps the collections from changing. */
  public NodeFacts {
    present = List.copyOf(present);
    online = List.copyOf(online);
    hotpluggable = Set.copyOf(hotpluggable);
    apicIds = Map.copyOf(apicIds);
    functions = List.copyOf(functions);
    hostBridges = List.copyOf(hostBridges);
  }
}
