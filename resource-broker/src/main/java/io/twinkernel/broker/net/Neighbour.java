package io.twinkernel.broker.net;

/**
 * A neighbour on an interface's link whose address is known.
 *
 * @param address its IP address
 * @param mac its link-layer address, as in {@code 52:54:00:12:34:56}
 * @param permanent whether it was configured rather than learned
 * @param router whether an IPv6 neighbour is a router
 */
public record Neighbour(IpAddress address, String mac, boolean permanent, boolean router) {}
