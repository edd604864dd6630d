package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.IpAddress;
import io.twinkernel.broker.process.Criu;
import java.util.ArrayList;
import java.util.List;

/**
 * What B has ready before the switch.
 *
 * @param function PCI address of the NIC that comes
 * @param ssdt describes the bus it is on
 * @param network how to set it up
 * @param service the cgroup into which the processes are restored
 * @param criu started in it, its kernel features known
 */
record IncomingState(
    String function, byte[] ssdt, InterfaceState network, Service service, Criu criu) {

  /**
   * The NIC's addresses as the loopback device holds them until the NIC is here, so that sockets
   * bound to them can be restored. Link-local ones mean nothing there.
   */
  List<InterfaceAddress> loopback() {
    var addresses = new ArrayList<InterfaceAddress>();
    for (InterfaceAddress address : network.addresses()) {
      if (!linkLocal(address.address())) {
        addresses.add(address.alone());
      }
    }
    return addresses;
  }

  /** fe80::/10, RFC 4291 section 2.4. */
  private static boolean linkLocal(IpAddress address) {
    return address.wide() && address.high() >>> 54 == 0x3fa;
  }
}
