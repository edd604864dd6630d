package io.twinkernel.broker.measure;

import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.net.LinkWatch;
import io.twinkernel.broker.net.PciInterface;
import io.twinkernel.broker.net.Rtnetlink;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A NIC that leads to the other kernel and that nobody uses: has an address while this is open. */
public final class JoinedNic implements AutoCloseable {
  private static final Path SYS = Path.of("/sys");
  private static final Duration CARRIER = Duration.ofSeconds(5);

  private final Rtnetlink netlink;
  private final String name;
  private final InterfaceAddress address;

  private JoinedNic(Rtnetlink netlink, String name, InterfaceAddress address) {
    this.netlink = netlink;
    this.name = name;
    this.address = address;
  }

  /**
   * Sets it up.
   *
   * @param function its PCI address, as "0000:82:00.1"
   * @throws IOException if there is none, somebody uses it, or it has no carrier
   */
  public static JoinedNic set(String function, InterfaceAddress address) throws IOException {
    String name =
        PciInterface.find(SYS, function)
            .orElseThrow(
                () ->
                    new IOException(
                        "no network interface belongs to the PCI function " + function));
    Rtnetlink netlink = Rtnetlink.open();
    try (LinkWatch watch = LinkWatch.open()) {
      if (netlink.link(name).up()) {
        throw new IOException(name + " (" + function + ") is up: somebody uses it");
      }
      netlink.addAddress(name, address);
      var nic = new JoinedNic(netlink, name, address);
      try {
        netlink.up(name);
        if (!watch.awaitCarrier(netlink.link(name).index(), CARRIER)) {
          throw new IOException(name + " (" + function + ") has no carrier");
        }
        return nic;
      } catch (IOException e) {
        nic.reset();
        throw e;
      }
    } catch (IOException e) {
      netlink.close();
      throw e;
    }
  }

  private void reset() throws IOException {
    netlink.down(name);
    netlink.removeAddress(name, address);
  }

  /** It is as it was. */
  @Override
  public void close() throws IOException {
    try (netlink) {
      reset();
    }
  }
}
