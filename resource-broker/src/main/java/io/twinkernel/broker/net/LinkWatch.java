package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * Hears of interfaces as the kernel tells of them. An interface that is set up may still lack its
 * carrier, which its driver finds later; until then, and until the kernel has noticed, it throws
 * away what is to be sent by it (net/core/link_watch.c, net/sched/sch_generic.c), and TCP waits for
 * a timer before it sends that again.
 */
public final class LinkWatch implements AutoCloseable {
  private static final int RTNLGRP_LINK = 1; // enum rtnetlink_groups, linux/rtnetlink.h

  private final NetlinkSocket events;

  private LinkWatch(NetlinkSocket events) {
    this.events = events;
  }

  /** Listens from now on. */
  public static LinkWatch open() throws IOException {
    return new LinkWatch(NetlinkSocket.listen(RTNLGRP_LINK));
  }

  /**
   * Waits until an interface sends that is set up.
   *
   * <p>One that has its carrier when the kernel tells that it is up had it when its queues were set
   * to work ({@code __dev_open} in net/core/dev.c): it sends at once, though the kernel may say so
   * only a second later. With one whose carrier comes later the kernel sets the queues to work when
   * it notices that.
   *
   * @param index of an interface that was not up yet when this was opened
   * @return whether it has a carrier; false if it has none in time
   */
  public boolean awaitCarrier(int index, Duration within) throws IOException {
    long deadline = System.nanoTime() + within.toNanos();
    boolean up = false;
    boolean carrier = false;
    while (true) {
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      List<NetlinkReply> messages = events.await(left);
      for (NetlinkReply message : messages) {
        if (message.type() == Netlink.RTM_NEWLINK()) {
          Rtnetlink.Link link = Rtnetlink.Link.of(message);
          if (link.index() == index && link.up()) {
            if (link.carrier() && (!up || link.operational())) {
              return true;
            }
            up = true;
            carrier = link.carrier();
          }
        }
      }
      if (messages.isEmpty() && left.isZero()) {
        return carrier;
      }
    }
  }

  @Override
  public void close() throws IOException {
    events.close();
  }
}
