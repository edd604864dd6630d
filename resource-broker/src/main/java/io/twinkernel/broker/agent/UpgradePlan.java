package io.twinkernel.broker.agent;

import io.twinkernel.broker.pci.PciAddress;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one upgrade starts and gives.
 *
 * @param upgrade its id
 * @param image bzImage of kernel B
 * @param initrd its initramfs
 * @param cpus CPUs that B gets when it starts; the first one starts it
 * @param buses PCI buses that B gets when it starts
 * @param port PCI address of the NIC among them that the service gets; empty where its own goes
 *     over
 * @param faults faults to inject, see {@link Fault}
 * @param switchFault what is to go wrong in the switch
 * @param rehearse everything but the commit
 * @param measureLink how many round trips each measurement of the link makes, when B has started;
 *     0: it is not measured
 */
record UpgradePlan(
    String upgrade,
    Path image,
    Path initrd,
    List<Integer> cpus,
    List<String> buses,
    Optional<String> port,
    List<Fault> faults,
    Optional<SwitchFault> switchFault,
    boolean rehearse,
    int measureLink) {
  private static final int MOST_SAMPLES = 1_000_000;

  /** Failures that can be provoked in order to see the machine survive them. */
  enum Fault {
    /** B's broker never answers. */
    TWIN_HANGS("twin-hangs"),
    /** The last image of the processes reaches B damaged. */
    RESTORE_FAILS("restore-fails");

    private final String word;

    Fault(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }

    static Fault of(String word) throws MalformedMessageException {
      for (Fault fault : values()) {
        if (fault.word.equals(word)) {
          return fault;
        }
      }
      throw new MalformedMessageException(
          "no fault '" + word + "'; there are twin-hangs, restore-fails and, say, a-fails@freeze");
    }
  }

  /** Reads the arguments of the verb {@code plan}; the node's configuration fills gaps. */
  static UpgradePlan of(String upgrade, Fields arguments, NodeConf conf)
      throws MalformedMessageException {
    var faults = new ArrayList<Fault>();
    Optional<SwitchFault> switchFault = Optional.empty();
    for (String word : arguments.texts("faults")) {
      Optional<SwitchFault> inSwitch = SwitchFault.parse(word);
      if (inSwitch.isEmpty()) {
        faults.add(Fault.of(word));
      } else if (switchFault.isPresent()) {
        throw new MalformedMessageException(
            "two faults in the switch, " + switchFault.get().word() + " and " + word);
      } else {
        switchFault = inSwitch;
      }
    }
    List<Integer> cpus = arguments.numbers("cpus");
    List<String> named = arguments.texts("buses");
    List<String> buses = named.isEmpty() ? conf.buses() : named;
    return new UpgradePlan(
        upgrade,
        Path.of(arguments.text("image")),
        Path.of(arguments.text("initrd")),
        cpus.isEmpty() ? conf.cpus() : cpus,
        buses,
        conf.servicePorts().stream()
            .filter(port -> !port.equals(conf.serviceFunction()))
            .filter(port -> buses.contains(PciAddress.bus(port)))
            .findFirst(),
        List.copyOf(faults),
        switchFault,
        arguments.flag("rehearse", false),
        samples(arguments));
  }

  private static int samples(Fields arguments) throws MalformedMessageException {
    long samples = arguments.number("measure_link", 0);
    if (samples < 0 || samples > MOST_SAMPLES) {
      throw new MalformedMessageException(
          "measure_link " + samples + "; it has to lie between 0 and " + MOST_SAMPLES);
    }
    return (int) samples;
  }
}
