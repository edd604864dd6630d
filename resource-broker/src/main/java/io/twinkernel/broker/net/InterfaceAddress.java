package io.twinkernel.broker.net;

import org.jspecify.annotations.Nullable;

/**
 * An address of an interface.
 *
 * @param address our own
 * @param prefix length of the network's prefix in bits
 * @param peer the other end of a point-to-point link; null where there is none
 * @param broadcast the network's broadcast address; null for none
 * @param noPrefixRoute whether the kernel makes no route to the network
 * @param validSeconds for how long it is valid; -1: for ever
 * @param preferredSeconds for how long it is preferred; -1: for ever
 */
public record InterfaceAddress(
    IpAddress address,
    int prefix,
    @Nullable IpAddress peer,
    @Nullable IpAddress broadcast,
    boolean noPrefixRoute,
    int validSeconds,
    int preferredSeconds) {

  /** Refuses impossible prefixes. */
  public InterfaceAddress {
    if (prefix < 0 || prefix > address.bits()) {
      throw new IllegalArgumentException(address + "/" + prefix + ": no such prefix");
    }
  }

  /** From {@code ADDRESS/PREFIX}, or an address alone, which stands for just itself. */
  public static InterfaceAddress parse(String text) {
    int slash = text.indexOf('/');
    IpAddress address = IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    int prefix = slash < 0 ? address.bits() : Integer.parseInt(text.substring(slash + 1));
    return new InterfaceAddress(address, prefix, null, null, false, -1, -1);
  }

  /** The address alone (/32 or /128), as it is held on {@code lo} before its interface is there. */
  public InterfaceAddress alone() {
    return new InterfaceAddress(address, address.bits(), null, null, false, -1, -1);
  }

  /** The same without a route that the kernel makes. */
  public InterfaceAddress withoutPrefixRoute() {
    return new InterfaceAddress(
        address, prefix, peer, broadcast, true, validSeconds, preferredSeconds);
  }

  @Override
  public String toString() {
    return address + "/" + prefix + (peer == null ? "" : " peer " + peer);
  }
}
