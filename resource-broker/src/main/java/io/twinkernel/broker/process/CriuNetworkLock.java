package io.twinkernel.broker.process;

/**
 * How CRIU keeps packets away from the connections that it dumps; {@code enum
 * criu_network_lock_method} of images/rpc.proto. Neither can be left out in 3.17.
 */
public enum CriuNetworkLock {
  /** By {@code sh -c iptables ...}, two for each connection. */
  IPTABLES(1),
  /** Through libnftables; needs nf_tables.ko, but no command. */
  NFTABLES(2);

  private final int number;

  CriuNetworkLock(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
