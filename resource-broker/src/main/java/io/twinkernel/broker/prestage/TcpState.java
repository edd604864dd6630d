package io.twinkernel.broker.prestage;

import java.util.Arrays;

/**
 * A TCP connection, established or half closed, as the kernel's repair mode gives it and takes it
 * (Documentation of TCP_REPAIR: net/ipv4/tcp.c, tcp_repair_*).
 *
 * @param descriptor the socket's number in its process
 * @param state TCP_* of include/net/tcp_states.h: ESTABLISHED, CLOSE_WAIT: the peer will send
 *     nothing more, FIN_WAIT2: the process will not, and the peer knows
 * @param local its address, a {@code sockaddr}
 * @param peer the other end's, a {@code sockaddr}
 * @param options TCPI_OPT_* that both ends agreed on
 * @param windowScales what the peer's windows are shifted by, and 16 bits higher ours
 * @param maximumSegment the peer's limit, in bytes
 * @param timestamp what this end's timestamps are at now
 * @param window a {@code tcp_repair_window}
 * @param receiveSequence of the next byte that is to come; the end of what the peer sends counts as
 *     one
 * @param sendSequence of the next byte that the process will write; likewise
 * @param received bytes that came and were not read
 * @param written bytes that the peer has not acknowledged
 * @param unsent how many of them, at the end, it was not sent yet
 */
record TcpState(
    int descriptor,
    int state,
    byte[] local,
    byte[] peer,
    int options,
    int windowScales,
    int maximumSegment,
    int timestamp,
    byte[] window,
    int receiveSequence,
    int sendSequence,
    byte[] received,
    byte[] written,
    int unsent) {

  /** Whether one end has said that it will send nothing more. */
  boolean isHalfClosed() {
    return TcpRepair.isHalfClosed(state);
  }

  /** The sequence after the last byte that came. */
  int nextByte() {
    return state == TcpRepair.CLOSE_WAIT ? receiveSequence - 1 : receiveSequence;
  }

  /** The sequence after the last byte that the process wrote. */
  int lastWritten() {
    return state == TcpRepair.FIN_WAIT2 ? sendSequence - 1 : sendSequence;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TcpState that
        && descriptor == that.descriptor
        && state == that.state
        && Arrays.equals(local, that.local)
        && Arrays.equals(peer, that.peer)
        && options == that.options
        && windowScales == that.windowScales
        && maximumSegment == that.maximumSegment
        && timestamp == that.timestamp
        && Arrays.equals(window, that.window)
        && receiveSequence == that.receiveSequence
        && sendSequence == that.sendSequence
        && Arrays.equals(received, that.received)
        && Arrays.equals(written, that.written)
        && unsent == that.unsent;
  }

  @Override
  public int hashCode() {
    return 31 * receiveSequence + sendSequence;
  }

  @Override
  public String toString() {
    return "connection %d: %d bytes received, %d written"
        .formatted(descriptor, received.length, written.length);
  }
}
