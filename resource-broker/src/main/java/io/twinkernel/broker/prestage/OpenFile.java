package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.Optional;

/**
 * A descriptor of a process, as its copy has it.
 *
 * @param target what {@code /proc/PID/fd} says that it is
 * @param fd the same open file here, where it may be held open while the process runs; empty for
 *     sockets and pipes, whose other ends are to learn of it when the process closes them
 * @param info what it said of itself; empty where the copy is still to learn that, of a file its
 *     flags
 * @param details says that; empty where that need not be compared
 * @param counts whether it says how much waits in it; what cannot be read from does not
 */
record OpenFile(
    Kind kind, String target, Optional<Fd> fd, byte[] info, Optional<Fd> details, boolean counts)
    implements AutoCloseable {

  /** What a descriptor is, as far as staging treats it differently. */
  enum Kind {
    /** An established TCP connection: its state goes over at the switch. */
    CONNECTION,
    /** A TCP socket that accepts connections. */
    LISTENER,
    /** A regular file: its offset goes over at the switch. */
    FILE,
    /** Pipes and other sockets: nothing may be queued in them. */
    QUEUE,
    /** What it waits for is in fdinfo, and goes over when it changes (fs/eventpoll.c). */
    EPOLL,
    /** Likewise its count (fs/eventfd.c). */
    COUNTER,
    /** When it expires goes over at the switch ({@link TimerState}). */
    TIMER,
    /** What says all of its state in fdinfo, which may not change. */
    OTHER;

    /** Whether the other end, or the network, is to learn when the process closes it. */
    boolean hasOtherEnd() {
      return this == CONNECTION || this == LISTENER || this == QUEUE;
    }
  }

  /**
   * One that a process has open.
   *
   * @param source that has it, by this number, as the process has: itself, or a fork of it
   * @param sourceProcess {@link Processes#open} of that
   * @throws Unstageable if it is of a kind that only a full dump carries over
   */
  static OpenFile of(int pid, int source, Fd sourceProcess, int number) throws IOException {
    String target = Descriptors.target(source, number);
    try (var opened = new Opened()) {
      Fd fd = opened.add(Processes.descriptor(sourceProcess, number));
      Kind kind = Descriptors.kind(fd, number, target);
      if (kind.hasOtherEnd()) {
        return withOtherEnd(kind, target, fd);
      }
      if (kind == Kind.EPOLL && source != pid) {
        return forkedEpoll(pid, number, target);
      }
      boolean known = source == pid || kind == Kind.OTHER;
      OpenFile file =
          kind == Kind.FILE || kind == Kind.TIMER
              ? unwatched(kind, target, fd, said(source, number))
              : held(kind, target, fd, pid, number, known, opened);
      opened.keep();
      return file;
    }
  }

  /**
   * A regular file, or a directory, or a timerfd.
   *
   * @param fd the same here
   * @param info what it says of itself: its flags do not change unnoticed
   */
  static OpenFile unwatched(Kind kind, String target, Fd fd, byte[] info) {
    return new OpenFile(kind, target, Optional.of(fd), info, Optional.empty(), false);
  }

  /**
   * A socket or pipe, which is not held.
   *
   * @param fd the same here
   */
  static OpenFile withOtherEnd(Kind kind, String target, Fd fd) throws IOException {
    boolean counts = kind == Kind.QUEUE && Descriptors.count(fd).isPresent();
    return new OpenFile(kind, target, Optional.empty(), new byte[0], Optional.empty(), counts);
  }

  /** The fork's is one of its own ({@link ForkDescriptors}); the process's is what is followed. */
  private static OpenFile forkedEpoll(int pid, int number, String target) throws IOException {
    if (!Descriptors.target(pid, number).equals(target)) {
      throw Unstageable.now("descriptor " + number + " was an epoll until just now");
    }
    try (Fd process = Processes.open(pid)) {
      return epoll(pid, number, target, Processes.descriptor(process, number));
    }
  }

  /**
   * An epoll, of which the copy knows nothing yet.
   *
   * @param fd the same here, closed with it, and where it cannot be had
   */
  static OpenFile epoll(int pid, int number, String target, Fd fd) throws IOException {
    try (var opened = new Opened()) {
      OpenFile file = held(Kind.EPOLL, target, opened.add(fd), pid, number, false, opened);
      opened.keep();
      return file;
    }
  }

  /**
   * @param known whether the copy has what it says of itself; what a process shares with its fork
   *     goes on changing until that is dumped
   */
  private static OpenFile held(
      Kind kind, String target, Fd fd, int pid, int number, boolean known, Opened opened)
      throws IOException {
    Fd details = opened.add(Fd.open(Descriptors.info(pid, number), Linux.O_RDONLY()));
    byte[] said = known ? said(pid, number) : new byte[0];
    return new OpenFile(kind, target, Optional.of(fd), said, Optional.of(details), false);
  }

  /** What a descriptor says of itself now. */
  static byte[] said(int pid, int number) throws IOException {
    return SysFiles.read(Descriptors.info(pid, number)).getBytes(UTF_8);
  }

  /** The same open file here. */
  Fd held() {
    return fd.orElseThrow(() -> new IllegalStateException(target + " is not held"));
  }

  /** By another name now. */
  OpenFile named(String path) {
    return new OpenFile(kind, path, fd, info, details, counts);
  }

  /** For what it says of itself, and a byte more, in which it shows that it says more. */
  int room() {
    return details.isPresent() ? info.length + 1 : 0;
  }

  /** With another state, which the copy knows of. */
  OpenFile saying(byte[] now) {
    return new OpenFile(kind, target, fd, now, details, counts);
  }

  @Override
  public void close() throws SyscallException {
    if (fd.isPresent()) {
      fd.get().close();
    }
    if (details.isPresent()) {
      details.get().close();
    }
  }
}
