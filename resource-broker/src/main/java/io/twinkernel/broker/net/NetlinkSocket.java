package io.twinkernel.broker.net;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A netlink socket: requests go out, answers and acknowledgements come in. */
final class NetlinkSocket implements AutoCloseable {

  private static final int NLMSGERR_ATTR_MSG = 1; // enum nlmsgerr_attrs, linux/netlink.h
  private static final int BUFFER = 64 << 10;

  private final Fd socket;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER);
  private int sequence;

  private NetlinkSocket(Fd socket) {
    this.socket = socket;
  }

  static NetlinkSocket open() throws IOException {
    return open(Netlink.NETLINK_ROUTE());
  }

  /**
   * @param protocol NETLINK_*
   */
  static NetlinkSocket open(int protocol) throws IOException {
    Fd socket = Sockets.socket(Linux.AF_NETLINK(), Linux.SOCK_RAW(), protocol);
    try {
      Sockets.bindNetlink(socket);
      // Errors with words, and without a copy of the request.
      Sockets.option(socket, Linux.SOL_NETLINK(), Netlink.NETLINK_EXT_ACK(), 1);
      Sockets.option(socket, Linux.SOL_NETLINK(), Netlink.NETLINK_CAP_ACK(), 1);
      return new NetlinkSocket(socket);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * One for what the kernel tells unasked.
   *
   * @param group RTNLGRP_*
   */
  static NetlinkSocket listen(int group) throws IOException {
    NetlinkSocket socket = open();
    try {
      Sockets.option(socket.socket, Linux.SOL_NETLINK(), Netlink.NETLINK_ADD_MEMBERSHIP(), group);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** What comes next; nothing if nothing comes in time. */
  List<NetlinkReply> await(Duration within) throws IOException {
    return socket.poll(Linux.POLLIN(), within) == 0 ? List.of() : receive();
  }

  /** One request whose answer is one message. */
  NetlinkReply ask(NetlinkRequest request) throws IOException {
    send(List.of(request));
    NetlinkReply answer = null;
    while (true) {
      for (NetlinkReply reply : receive()) {
        if (reply.type() != Netlink.NLMSG_ERROR()) {
          answer = reply;
          continue;
        }
        throwFailure(request, reply);
        if (answer == null) {
          throw new IOException(request.what() + ": the kernel acknowledges but does not answer");
        }
        return answer;
      }
    }
  }

  /**
   * Several changes in one system call, each made even where one before it failed.
   *
   * @throws NetlinkException the first failure
   */
  void change(List<NetlinkRequest> requests) throws IOException {
    int first = send(requests);
    NetlinkException failure = null;
    for (int left = requests.size(); left > 0; ) {
      for (NetlinkReply reply : receive()) {
        int index = reply.sequence() - first;
        if (reply.type() != Netlink.NLMSG_ERROR() || index < 0 || index >= requests.size()) {
          continue;
        }
        left--;
        NetlinkException error = failure(requests.get(index), reply);
        failure = failure == null ? error : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** All messages of a dump; asks again where the kernel's list changed meanwhile. */
  List<NetlinkReply> dump(NetlinkRequest request) throws IOException {
    while (true) {
      List<NetlinkReply> all = new ArrayList<>();
      if (dumpOnce(request, all)) {
        return all;
      }
    }
  }

  private boolean dumpOnce(NetlinkRequest request, List<NetlinkReply> all) throws IOException {
    send(List.of(request));
    boolean consistent = true;
    while (true) {
      for (NetlinkReply reply : receive()) {
        consistent &= (reply.flags() & Netlink.NLM_F_DUMP_INTR()) == 0;
        if (reply.type() == Netlink.NLMSG_DONE()) {
          return consistent;
        }
        if (reply.type() == Netlink.NLMSG_ERROR()) {
          throwFailure(request, reply);
        }
        all.add(reply);
      }
    }
  }

  private int send(List<NetlinkRequest> requests) throws IOException {
    int first = sequence + 1;
    long length = 0;
    for (NetlinkRequest request : requests) {
      byte[] message = request.message(++sequence);
      if (length + message.length > BUFFER) {
        throw new IllegalArgumentException(requests.size() + " requests at once are too many");
      }
      MemorySegment.copy(message, 0, buffer, ValueLayout.JAVA_BYTE, length, message.length);
      length += message.length;
    }
    Sockets.send(socket, buffer.asSlice(0, length), 0);
    return first;
  }

  private List<NetlinkReply> receive() throws IOException {
    int length = Sockets.recv(socket, buffer, 0);
    byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    List<NetlinkReply> replies = new ArrayList<>();
    for (int at = 0; at + NetlinkRequest.HEADER <= length; ) {
      int size = NetlinkReply.number(bytes, at);
      if (size < NetlinkRequest.HEADER || at + size > length) {
        throw new IOException("netlink message of " + size + " bytes is cut off");
      }
      replies.add(new NetlinkReply(Arrays.copyOfRange(bytes, at, at + size)));
      at += (size + 3) & ~3;
    }
    return replies;
  }

  private static void throwFailure(NetlinkRequest request, NetlinkReply reply)
      throws NetlinkException {
    NetlinkException failure = failure(request, reply);
    if (failure != null) {
      throw failure;
    }
  }

  /** {@code struct nlmsgerr}: the error, the request's header, attributes. */
  private static @Nullable NetlinkException failure(NetlinkRequest request, NetlinkReply reply) {
    int error = reply.fixed32(0);
    if (error == 0) {
      return null;
    }
    String words =
        (reply.flags() & Netlink.NLM_F_ACK_TLVS()) == 0
            ? ""
            : reply.text(4 + NetlinkRequest.HEADER, NLMSGERR_ATTR_MSG);
    return new NetlinkException(request.what(), new Errno(-error), words);
  }

  @Override
  public void close() throws IOException {
    try (socket) {
      arena.close();
    }
  }
}
