package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.OpenFile.Kind;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What the descriptors of a process are. */
final class Descriptors {
  /** What the kernel says of a file that has no name any more, after the last one. */
  static final String DELETED = " (deleted)";

  /** What /proc says that an epoll is. */
  static final String EPOLL = "anon_inode:[eventpoll]";

  private Descriptors() {}

  /**
   * Of which kind one is.
   *
   * @param fd the same open file here
   * @param target what /proc says that it is
   * @throws Unstageable if it is of none that a copy can have, or not now
   */
  static Kind kind(Fd fd, int number, String target) throws IOException {
    if (target.startsWith("socket:")) {
      return socket(fd, number);
    }
    if (target.startsWith("pipe:")) {
      if (queued(fd) > 0) {
        throw Unstageable.now("pipe " + number + " has data in it");
      }
      return Kind.QUEUE;
    }
    if (target.startsWith("anon_inode:")) {
      return switch (target) {
        case EPOLL -> Kind.EPOLL;
        case "anon_inode:[eventfd]" -> Kind.COUNTER;
        case "anon_inode:[timerfd]" -> Kind.TIMER;
        // Signals that it has not told of yet wait for the process, which is looked at.
        case "anon_inode:[signalfd]" -> Kind.OTHER;
        default -> throw new Unstageable("descriptor " + number + " is " + target);
      };
    }
    if (target.startsWith("/dev/null") || target.startsWith("/dev/zero")) {
      return Kind.OTHER;
    }
    if (!target.startsWith("/") || target.startsWith("/dev/") || target.endsWith(DELETED)) {
      throw new Unstageable("descriptor " + number + " is " + target);
    }
    return Kind.FILE;
  }

  private static Kind socket(Fd fd, int number) throws IOException {
    if (isTcp(fd)) {
      int state = TcpRepair.state(fd);
      if (state == TcpRepair.ESTABLISHED || HalfClosed.is(fd, state)) {
        return Kind.CONNECTION;
      }
      if (state == TcpRepair.LISTEN) {
        return Kind.LISTENER;
      }
      throw Unstageable.now("connection " + number + " is in TCP state " + state);
    }
    if (queued(fd) > 0) {
      throw Unstageable.now("socket " + number + " has data in its queue");
    }
    return Kind.QUEUE;
  }

  static boolean isTcp(Fd socket) throws SyscallException {
    return Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_PROTOCOL()) == Linux.IPPROTO_TCP();
  }

  static String target(int pid, int number) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/fd/" + number)).toString();
  }

  static String info(int pid, int number) {
    return "/proc/" + pid + "/fdinfo/" + number;
  }

  static List<Integer> numbers(int pid) throws IOException {
    var numbers = new ArrayList<Integer>();
    try (var entries = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path entry : entries) {
        numbers.add(Integer.valueOf(entry.getFileName().toString()));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  /** Lets connections go on that someone left in repair mode. The process may run. */
  static void releaseConnections(int pid) throws IOException {
    eachInRepair(pid, (_, connection) -> TcpRepair.release(connection));
  }

  /** What is done with each connection. */
  @FunctionalInterface
  interface WithEach {
    void accept(int number, Fd connection) throws IOException;
  }

  /**
   * Does it to all TCP connections in repair mode of a process that may run. They need not be
   * established any more: the peer may have closed one since.
   */
  static void eachInRepair(int pid, WithEach then) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (int number : numbers(pid)) {
        try {
          if (target(pid, number).startsWith("socket:")) {
            try (Fd fd = Processes.descriptor(process, number)) {
              if (isTcp(fd) && TcpRepair.isOn(fd)) {
                then.accept(number, fd);
              }
            }
          }
        } catch (NoSuchFileException closed) {
          // Meanwhile.
        } catch (SyscallException e) {
          if (!e.errno().equals(Errno.EBADF)) {
            throw e;
          }
        }
      }
    }
  }

  /** What is done with a connection. */
  @FunctionalInterface
  interface WithConnection {
    void accept(Fd connection) throws IOException;
  }

  /** Does it if a process has an established TCP connection by this number. */
  static void withConnection(int pid, Fd process, int number, WithConnection then)
      throws IOException {
    if (target(pid, number).startsWith("socket:")) {
      try (Fd fd = Processes.descriptor(process, number)) {
        if (isTcp(fd) && TcpRepair.state(fd) == TcpRepair.ESTABLISHED) {
          then.accept(fd);
        }
      }
    }
  }

  static int queued(Fd fd) throws SyscallException {
    return count(fd).orElse(0);
  }

  /** FIONREAD; empty for what cannot be read from. */
  static OptionalInt count(Fd fd) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      fd.ioctl(Linux.FIONREAD(), count);
      return OptionalInt.of(count.get(ValueLayout.JAVA_INT, 0));
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EINVAL)) {
        return OptionalInt.empty();
      }
      throw e;
    }
  }
}
