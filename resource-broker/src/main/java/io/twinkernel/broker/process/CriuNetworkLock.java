package io.twinkernel.broker.process;

/**
 * How CRIU keeps packets away from the connections that it dumps; {@code enum
 * criu_network_lock_method} of images/rpc.proto.
 *
 * <p>Within the gap there is nothing to keep away: the network interface has left the kernel. So
 * the lock is only a cost. CRIU 3.17 cannot do without, and pays for each connection: emulated, on
 * 2 loaded cores, 12 ms with nftables; the iptables command costs more even where it is a program
 * that does nothing.
 */
public enum CriuNetworkLock {
  /** By {@code sh -c iptables ...}, two for each connection. */
  IPTABLES(1),
  /** Through libnftables; needs nf_tables.ko, but no command. */
  NFTABLES(2),
  /** Not at all; from CRIU 4.0 on. */
  SKIP(3);

  private static final int FIRST_WITH_SKIP = 40_000;

  private final int number;

  CriuNetworkLock(int number) {
    this.number = number;
  }

  /** The cheapest that a version has, as {@link Criu#check} tells it. */
  static CriuNetworkLock cheapest(int version) {
    return version >= FIRST_WITH_SKIP ? SKIP : NFTABLES;
  }

  int number() {
    return number;
  }
}
