package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinPort;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The interface that carries the service in A, where B has one of its own in the same network. It
 * falls silent for the switch and stays A's: what it receives from then on it holds, and B gets it
 * by the link once it has committed, until the network has learned where the service is. Where
 * there is no commit, A receives it after all.
 */
final class ServicePort implements OutgoingNic {
  /** No interface has this number. */
  private static final int NO_INTERFACE = Integer.MAX_VALUE;

  private final TwinPort port;
  private final TwinPort none;
  // Made here, and not in the gap: a lambda's first evaluation sets up its class.
  private final Undo.Step open;
  private final Background.Task forward;
  private boolean forwarding;

  /** Made ahead: its first use maps it. */
  private final MemorySegment room = Arena.ofAuto().allocate(TwinPort.ROOM, Long.BYTES);

  private ServicePort(TwinPort port, TwinPort none, Link link) {
    this.port = port;
    this.none = none;
    this.open = () -> port.set(TwinPort.Mode.OPEN);
    this.forward = () -> forwardAll(link);
  }

  /**
   * Gets the interface of a PCI function ready to fall silent.
   *
   * @param peer gets what it holds
   * @param undo receives what makes it an interface like others again
   */
  static ServicePort of(TwinDevice device, String function, Peer peer, Undo undo)
      throws IOException {
    TwinPort port = port(device, function);
    port.set(TwinPort.Mode.OPEN);
    undo.push("letting go of the interface", () -> free(port));
    return new ServicePort(port, none(device), peer.link());
  }

  /** One that fell silent for a broker that died speaks again; others stay as they are. */
  static void recover(TwinDevice device, String function) throws IOException {
    free(port(device, function));
  }

  static TwinPort port(TwinDevice device, String function) throws IOException {
    try (var netlink = Rtnetlink.open()) {
      return device.port(netlink.link(ServiceNic.interfaceOf(function)).index());
    }
  }

  /** An interface is like others again, and may have been before. */
  static void free(TwinPort port) throws IOException {
    try {
      port.set(TwinPort.Mode.FREE);
    } catch (SyscallException e) {
      // One that went away, as its driver did, is none any more.
      if (!e.errno().equals(Errno.ENOENT) && !e.errno().equals(Errno.ENODEV)) {
        throw e;
      }
    }
  }

  @Override
  public void rehearse() throws IOException {
    port.set(TwinPort.Mode.OPEN);
    refuse(none);
  }

  /** What the gap does to an interface, done to one that there is not: all of it is refused. */
  static void refuse(TwinPort none) throws SyscallException {
    Refused.call(() -> none.set(TwinPort.Mode.STEADY));
    Refused.call(() -> none.set(TwinPort.Mode.HOLD));
    Refused.call(() -> none.give(new byte[0]));
    var _ = none.take(Arena.ofAuto().allocate(Long.BYTES, Long.BYTES));
  }

  /** One that {@link #refuse} takes. */
  static TwinPort none(TwinDevice device) {
    return device.port(NO_INTERFACE);
  }

  @Override
  public boolean losesNothing() {
    return true;
  }

  @Override
  public String releaseName() {
    return "nic-hold";
  }

  @Override
  public void steady(Undo gap) throws IOException {
    gap.push("opening the interface again", open);
    port.set(TwinPort.Mode.STEADY);
  }

  /** {@link #steady} has said what undoes both. */
  @Override
  public void release(Undo gap) throws IOException {
    port.set(TwinPort.Mode.HOLD);
  }

  /** B has one already. */
  @Override
  public void tell(Peer peer) {}

  @Override
  public boolean withB() {
    return false;
  }

  /** As long as this kernel runs: where the network has not learned it, B does not get it else. */
  @Override
  public void forward() {
    if (forwarding) {
      return;
    }
    forwarding = true;
    new Background(forward);
  }

  private void forwardAll(Link link) throws IOException {
    Optional<byte[]> frames = port.take(room);
    while (frames.isPresent()) {
      link.send(FrameType.FRAMES, frames.get());
      frames = port.take(room);
    }
  }

  /** What is sent to many reaches B without A from now on. */
  @Override
  public void left() throws IOException {
    port.set(TwinPort.Mode.LEAVE);
  }
}
