package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Rids a fork of what its process goes on changing while the fork is dumped: it closes its TCP
 * sockets, but for those that listen, so that one which the process closes is closed, and gets
 * epolls of its own, which wait for nothing. The copy is told of both afterwards ({@link
 * DescriptorChanges}).
 */
final class ForkDescriptors {
  private ForkDescriptors() {}

  /**
   * @param fork makes its calls; it is stopped
   */
  static void clear(RemoteCall fork) throws IOException {
    var connections = new ArrayList<Integer>();
    var epolls = new ArrayList<Integer>();
    try (Fd process = Processes.open(fork.thread())) {
      for (int number : Descriptors.numbers(fork.thread())) {
        String target = Descriptors.target(fork.thread(), number);
        if (target.equals(Descriptors.EPOLL)) {
          epolls.add(number);
        } else if (target.startsWith("socket:") && isConnection(process, number)) {
          connections.add(number);
        }
      }
    }
    close(fork, connections);
    for (int epoll : epolls) {
      renew(fork, epoll);
    }
  }

  private static boolean isConnection(Fd process, int number) throws IOException {
    try (Fd socket = Processes.descriptor(process, number)) {
      if (!Descriptors.isTcp(socket)) {
        return false;
      }
      // One that is none yet, or none any more, CRIU does not find.
      return TcpRepair.state(socket) != TcpRepair.LISTEN;
    }
  }

  /** Each row of numbers by one call: most servers have their connections in a few rows. */
  private static void close(RemoteCall fork, List<Integer> numbers) throws SyscallException {
    for (int from = 0, to; from < numbers.size(); from = to) {
      int first = numbers.get(from);
      to = from + 1;
      while (to < numbers.size() && numbers.get(to) == first + to - from) {
        to++;
      }
      int last = first + to - from - 1;
      String what = first + " to " + last;
      fork.call("close_range", what, Linux.__NR_close_range(), first, last, 0);
    }
  }

  private static void renew(RemoteCall fork, int epoll) throws IOException {
    String info = SysFiles.read("/proc/" + fork.thread() + "/fdinfo/" + epoll);
    int flags = DiskFile.flags(info) & Linux.O_CLOEXEC();
    String what = "descriptor " + epoll;
    long fresh = fork.call("epoll_create1", what, Linux.__NR_epoll_create1(), 0);
    fork.call("dup3", what, Linux.__NR_dup3(), fresh, epoll, flags);
    fork.call("close", what, Linux.__NR_close(), fresh);
  }
}
