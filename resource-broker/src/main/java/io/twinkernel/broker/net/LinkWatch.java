package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.time.Duration;

/**
 * Hears of interfaces as the kernel tells of them. An interface that is set up may still lack its
 * carrier, which its driver finds later; until then, and until the kernel has noticed, it throws
 * away what is to be sent by it (net/core/link_watch.c, net/sched/sch_generic.c), and TCP waits for
 * a timer before it sends that again.
 */
public final class LinkWatch implements AutoCloseable {
  private static final int RTNLGRP_LINK = 1; // enum rtnetlink_groups, linux/rtnetlink.h

  /**
   * Where a carrier was there from the start, the queues are at work at once, and the kernel
   * notices it up to a second later: not to be waited for.
   */
  private static final Duration NOTICED = Duration.ofMillis(200);

  private final NetlinkSocket events;

  private LinkWatch(NetlinkSocket events) {
    this.events = events;
  }

  /** Listens from now on. */
  public static LinkWatch open() throws IOException {
    return new LinkWatch(NetlinkSocket.listen(RTNLGRP_LINK));
  }

  /**
   * Waits until an interface sends.
   *
   * @param name of an interface that was not up yet when this was opened
   * @param netlink to look how it is at the beginning
   * @return whether it has a carrier; false if it has none in time
   */
  public boolean awaitCarrier(String name, Rtnetlink netlink, Duration within) throws IOException {
    Rtnetlink.Link link = netlink.link(name);
    int index = link.index();
    Duration noticed = NOTICED.compareTo(within) < 0 ? NOTICED : within;
    long deadline = System.nanoTime() + (link.carrier() ? noticed : within).toNanos();
    while (!link.operational() || !link.carrier()) {
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (left.isNegative()) {
        break;
      }
      for (NetlinkReply event : events.await(left)) {
        if (event.type() == Netlink.RTM_NEWLINK() && Rtnetlink.Link.of(event).index() == index) {
          boolean had = link.carrier();
          link = Rtnetlink.Link.of(event);
          if (link.carrier() && !had) {
            deadline = System.nanoTime() + noticed.toNanos();
          }
        }
      }
    }
    return link.carrier();
  }

  @Override
  public void close() throws IOException {
    events.close();
  }
}
