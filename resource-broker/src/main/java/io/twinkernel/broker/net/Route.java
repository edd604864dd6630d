package io.twinkernel.broker.net;

import org.jspecify.annotations.Nullable;

/**
 * A route through an interface, other than those that the kernel makes for addresses by itself.
 *
 * @param destination null: the default route
 * @param prefix length of the destination's prefix in bits
 * @param wide whether it is an IPv6 route
 * @param gateway null: the destination is on the link
 * @param source preferred source address; null for none
 * @param table routing table, 254: main
 * @param metric priority, 0: none given
 * @param protocol who made it, RTPROT_*
 * @param scope RT_SCOPE_*
 * @param onLink whether the gateway counts as reachable though no network of ours has it
 */
public record Route(
    @Nullable IpAddress destination,
    int prefix,
    boolean wide,
    @Nullable IpAddress gateway,
    @Nullable IpAddress source,
    int table,
    int metric,
    int protocol,
    int scope,
    boolean onLink) {

  /** The same way with another metric. */
  public Route withMetric(int other) {
    return new Route(
        destination, prefix, wide, gateway, source, table, other, protocol, scope, onLink);
  }

  @Override
  public String toString() {
    return (destination == null ? "default" : destination + "/" + prefix)
        + (gateway == null ? "" : " via " + gateway);
  }
}
