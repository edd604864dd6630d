package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.NoSuchFileException;

/**
 * How large the segments are that a connection sends which CRIU has restored. The kernel works that
 * out when it connects (tcp_connect_init); CRIU says only afterwards what the peer takes
 * (TCP_REPAIR_OPTIONS), so it would stay the least that every host must take.
 */
public final class SegmentSizes {
  // include/uapi/linux/in.h
  private static final int IPPROTO_IP = 0;
  private static final int IP_OPTIONS = 4;

  private static final int MOST_OPTIONS = 40;

  private SegmentSizes() {}

  /**
   * Has the kernel work it out anew for each connection of a process, which may run meanwhile, and
   * end.
   */
  public static void workOut(int pid) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (int number : Descriptors.numbers(pid)) {
        workOut(pid, process, number);
      }
    } catch (NoSuchFileException | DirectoryIteratorException ended) {
      // Nobody sends any more.
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  private static void workOut(int pid, Fd process, int number) throws IOException {
    try {
      Descriptors.withConnection(pid, process, number, SegmentSizes::workOut);
    } catch (NoSuchFileException closed) {
      // By the process, just now.
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.EBADF)) {
        throw e;
      }
    }
  }

  /**
   * Sets the options of IPv4 that the socket has, mostly none: the kernel looks then at how much
   * room they leave. It does so, too, where the connection is one of IPv6 that was not accepted
   * here (do_ip_setsockopt).
   */
  static void workOut(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(MOST_OPTIONS, Integer.BYTES);
      int length = Sockets.read(socket, IPPROTO_IP, IP_OPTIONS, options);
      Sockets.option(socket, IPPROTO_IP, IP_OPTIONS, options.asSlice(0, length));
    }
  }
}
