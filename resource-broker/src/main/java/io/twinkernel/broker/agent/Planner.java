package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.Uname;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Checks a plan against the machine, and says what the upgrade would move. Changes nothing. */
final class Planner {
  private final NodeConf conf;
  private final TwinDevice device;

  Planner(NodeConf conf, TwinDevice device) {
    this.conf = conf;
    this.device = device;
  }

  /**
   * @return what goes to B and what stays, for the operator
   * @throws BrokerException the first reason why the upgrade cannot be
   */
  Map<String, Object> check(UpgradePlan plan) throws BrokerException, IOException {
    TwinInfo info = device.info();
    Map<Integer, Integer> apicIds = ApicIds.read();
    var stay = new ArrayList<>(apicIds.keySet());
    stay.removeAll(plan.cpus());
    var processes = new ArrayList<Map<String, Object>>();
    for (ServiceProcess process : ProcessTree.of(conf.serviceCgroup()).processes()) {
      processes.add(
          Map.of(
              "pid", process.pid(),
              "name", process.name(),
              "resident_bytes", process.residentBytes(),
              "threads", process.threads()));
    }
    long total = 0;
    for (SystemRam.Range range : SystemRam.withoutCrashRegion()) {
      total += range.size();
    }
    return Map.of(
        "from",
        Uname.current().release(),
        "cpus",
        Map.of("give", plan.cpus(), "stay", stay, "boot_apic_id", info.bootApicId()),
        "memory",
        Map.of(
            "crash_bytes",
            info.crash().map(TwinInfo.Range::size).orElse(0L),
            "shared_bytes",
            conf.sharedBytes(),
            "stay_bytes",
            total),
        "buses",
        Map.of("give", plan.buses(), "switch", List.of(conf.serviceFunction())),
        "processes",
        processes);
  }
}
