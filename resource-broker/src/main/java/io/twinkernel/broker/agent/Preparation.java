package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.TwinMachine;
import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.memory.MemoryLoan;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.Kexec;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes everything ready that B finds when it starts: the shared region, its PCI buses, its ACPI
 * tables, and its image in the crash region. Until B starts, all of it can be undone.
 */
final class Preparation {
  private final NodeConf conf;
  private final TwinDevice device;

  Preparation(NodeConf conf, TwinDevice device) {
    this.conf = conf;
    this.device = device;
  }

  /**
   * @throws IOException what failed; the caller undoes what {@code undo} holds by then
   */
  Stage.Prepared prepare(Stage.Planned planned, Undo undo)
      throws IOException, BrokerException, InterruptedException {
    UpgradePlan plan = planned.plan();
    // Taken back last: until the buses are quiet, B's devices may write to it.
    var loan = new MemoryLoan();
    undo.push("taking memory back", loan::takeBack);
    loan.lend(planned.lent());
    long start = device.carve(conf.sharedBytes());
    undo.push("giving the shared region back", () -> device.carve(0));
    var mapping = Arena.ofShared();
    undo.push("unmapping the shared region", mapping::close);
    var region = SharedRegion.create(device.mapShared(mapping), new SecureRandom().nextLong());
    for (String bus : plan.buses()) {
      for (String function : PciDelegation.functions(bus)) {
        PciDelegation.Released released = PciDelegation.release(function);
        undo.push(
            "taking back " + function,
            () -> {
              PciDelegation.quiesce(released.address());
              PciDelegation.restore(released);
            });
      }
    }
    TwinInfo info = device.info();
    Map<Integer, Integer> all = ApicIds.read();
    List<Integer> given = plan.cpus().stream().map(all::get).toList();
    long tables = start + region.layout().tables();
    region.writeTables(
        AcpiTables.build(
            new TwinMachine(
                tables,
                apicIds(info, given, all),
                info.ecam().orElseThrow(),
                bridges(plan.buses()))));
    ImageLoading.load(
        plan, conf.serviceFunction(), TwinCommandLine.of(info, tables, conf, planned, given));
    undo.push("unloading kernel B", () -> Kexec.unload(Linux.KEXEC_FILE_ON_CRASH()));
    return new Stage.Prepared(plan, given, region, loan, undo);
  }

  /** The machine's boot CPU, then B's, then all others, which B takes in the end. */
  private static List<Integer> apicIds(
      TwinInfo info, List<Integer> given, Map<Integer, Integer> all) {
    var ids = new ArrayList<Integer>();
    ids.add(info.bootApicId());
    ids.addAll(given);
    for (int id : all.values()) {
      if (!ids.contains(id)) {
        ids.add(id);
      }
    }
    return ids;
  }

  private static List<HostBridge> bridges(List<String> buses) throws IOException, BrokerException {
    var bridges = new ArrayList<HostBridge>();
    for (String bus : buses) {
      bridges.add(hostBridge(bus));
    }
    return bridges;
  }

  /** How B is to see a bus. */
  static HostBridge hostBridge(String bus) throws IOException, BrokerException {
    return new HostBridges()
        .of(bus)
        .orElseThrow(
            () ->
                BrokerException.refused(
                    "bus-not-behind-a-bridge",
                    "bus " + bus,
                    "no PCI bridge of this machine leads to it",
                    "name a bus behind a root port; lspci -t shows them"));
  }
}
