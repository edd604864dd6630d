package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A panics while B runs beside it. B, the warm successor, takes the machine: the NIC first, then it
 * starts the service anew (its memory is lost with A), then it takes CPUs and memory. Only if A
 * panicked and left: a kernel that is merely silent may still have CPUs that write.
 */
final class Failover {
  /** Within it a kernel that panics has said all that it has to say, also on a slow console. */
  private static final Duration LEAVING = Duration.ofSeconds(30);

  private final TwinDevice device;
  private final SharedRegion region;
  private final Arena mapping;
  private final String kernel;

  /** What B does when A panics. */
  enum Policy {
    /** Take the machine over and start the service anew. */
    ADOPT,
    /** Run on with what it has. */
    STAY;

    static Policy of(String word) throws IOException {
      return switch (word.strip()) {
        case "adopt" -> ADOPT;
        case "stay" -> STAY;
        default ->
            throw new IOException(
                NodeConf.FILE + ": 'failover' is '" + word + "', neither adopt nor stay");
      };
    }
  }

  /**
   * What A told B for this case while it was well.
   *
   * @param machine upgrade, and what {@link Departure#machine} says
   * @param ssdt describes the service's bus
   * @param network addresses and routes of the service's NIC
   */
  record Legacy(NodeConf conf, Fields machine, byte[] ssdt, InterfaceState network) {}

  /**
   * @param mapping of {@code region}, which this ends
   */
  Failover(TwinDevice device, SharedRegion region, Arena mapping, String kernel) {
    this.device = device;
    this.region = region;
    this.mapping = mapping;
    this.kernel = kernel;
  }

  /** On A: tells B what it needs, if it is to take over. */
  static void prepare(NodeConf conf, TwinDevice device, String upgrade, Peer peer)
      throws IOException, BrokerException {
    if (conf.failover() == Policy.STAY) {
      return;
    }
    ServiceNic nic = ServiceNic.capture(device, conf.serviceFunction());
    var machine = new HashMap<>(Departure.machine(device));
    machine.put("upgrade", upgrade);
    peer.link().send(FrameType.SSDT, AcpiTables.ssdt(Preparation.hostBridge(nic.bus()), "TWINNIC"));
    peer.link().send(FrameType.INTERFACE, nic.state().toBytes());
    peer.send(FrameType.FAILOVER, machine);
  }

  /**
   * On B, when A has stopped: takes the machine and serves the control plane as its owner, or stays
   * put. Returns when a next upgrade has given the machine away.
   */
  void run(Incoming incoming) throws IOException, InterruptedException {
    Optional<Legacy> legacy = incoming.legacy();
    if (!region.panicked(SharedRegion.Side.A)) {
      stay("kernel A is silent, but has not panicked: it may still run");
    } else if (legacy.isEmpty()) {
      stay("kernel A panicked; this kernel is not to take over");
    } else {
      adopt(incoming, legacy.get());
    }
  }

  private static void stay(String why) throws InterruptedException {
    KernelLog.say("failover: " + why + "; staying put");
    new CountDownLatch(1).await();
  }

  private void adopt(Incoming incoming, Legacy legacy) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Map<String, Object> figures = new LinkedHashMap<>();
    incoming.abandon();
    var absorption = new Absorption(device, region, mapping, incoming.peer());
    TwinInfo.Range shared = absorption.promote(LEAVING);
    figures.put("left_ms", millisSince(start));
    openNetwork(legacy);
    figures.put("network_ms", millisSince(start));
    startService(legacy.conf());
    figures.put("service_ms", millisSince(start));
    KernelLog.say("failover: kernel A panicked; this kernel serves " + figures);
    figures.putAll(absorption.take(legacy.machine(), shared));
    figures.put("machine_ms", millisSince(start));
    KernelLog.say("failover: this kernel has the machine " + figures);
    serve(legacy, figures);
  }

  private void openNetwork(Legacy legacy) throws IOException {
    String function = legacy.conf().serviceFunction();
    // In a switch A may have given the NIC already.
    if (PciDelegation.driver(function).isEmpty()) {
      device.adoptPci(legacy.ssdt());
    }
    try (var netlink = Rtnetlink.open()) {
      netlink.apply(legacy.network(), ServiceNic.interfaceOf(function));
    }
  }

  /** The program that node.conf names; it puts the service in the background and ends. */
  private static void startService(NodeConf conf) throws IOException, InterruptedException {
    Process start =
        new ProcessBuilder(conf.serviceStart())
            .redirectErrorStream(true)
            .redirectOutput(new File("/dev/null"))
            .start();
    int status = start.waitFor();
    if (status != 0) {
      KernelLog.say("failover: " + conf.serviceStart() + " ended with " + status);
    }
  }

  private void serve(Legacy legacy, Map<String, Object> figures)
      throws IOException, InterruptedException {
    try (var broker = new Broker(legacy.conf(), "secondary", kernel, device)) {
      new Reporter(kernel, broker::event)
          .failed(
              legacy.machine().text("upgrade"),
              "rollback",
              "the former kernel panicked; this one has the machine and started the service anew",
              figures);
      broker.start();
      var owner = new Owner(legacy.conf(), broker);
      broker.serve(owner::perform, owner::left);
      owner.depart();
    }
  }

  /** What this kernel is from then on: ready for the next upgrade, as its primary. */
  private final class Owner {
    private final NodeConf conf;
    private final Broker broker;
    private @Nullable Outgoing outgoing;

    Owner(NodeConf conf, Broker broker) {
      this.conf = conf;
      this.broker = broker;
    }

    Map<String, Object> perform(Command command) throws BrokerException {
      Outgoing upgrade = outgoing;
      if (upgrade == null && command.verb() == Command.Verb.PLAN) {
        upgrade = become();
      }
      if (upgrade != null) {
        return upgrade.perform(command);
      }
      if (command.verb() == Command.Verb.STATUS) {
        return Map.of("stage", "Adopted");
      }
      throw BrokerException.refused(
          "adopted",
          "the verb " + command.verb().word(),
          "this kernel took the machine over when the former one panicked",
          "the service runs here; plan an upgrade when it suits");
    }

    /** Not before: until then the control plane is told how the last upgrade ended. */
    private Outgoing become() throws BrokerException {
      try {
        Outgoing upgrade = Primary.outgoing(conf, device, kernel, broker);
        outgoing = upgrade;
        broker.become(Primary.ROLE);
        return upgrade;
      } catch (IOException e) {
        throw BrokerException.refused(
            "not-ready",
            "this kernel",
            e.getMessage() == null ? e.toString() : e.getMessage(),
            "read its console, then try again");
      }
    }

    boolean left() {
      return outgoing != null && outgoing.left();
    }

    void depart() throws IOException, InterruptedException {
      if (outgoing != null) {
        Primary.depart(device, outgoing);
      }
    }
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }
}
