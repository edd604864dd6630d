package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.broker.prestage.DescriptorChanges.Connection;
import io.twinkernel.broker.prestage.DescriptorChanges.Epoll;
import io.twinkernel.broker.prestage.DescriptorChanges.Timer;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Has a stopped copy, which is traced meanwhile, open and close what its process has. */
final class DescriptorReshaping {
  /** Of a {@code struct epoll_event}, which is packed (include/uapi/linux/eventpoll.h). */
  private static final int EVENT = 12;

  /** A path, as a system call takes it. */
  private static final byte[] STAND_IN = "/dev/null\0".getBytes(US_ASCII);

  private static final int MOST_EVENTS = TraceeCalls.ROOM / EVENT;

  private final int pid;
  private final TraceeCalls calls;

  /**
   * @param pid of the copy
   * @param calls that it makes
   */
  DescriptorReshaping(int pid, TraceeCalls calls) {
    this.pid = pid;
    this.calls = calls;
  }

  /**
   * All but what {@link ConnectionOptions} and counts of eventfds are.
   *
   * @param onDisk all that it has on the disk that is to come, with these changes
   */
  void run(DescriptorChanges changes, List<DiskFile> onDisk) throws IOException {
    for (int descriptor : changes.closed()) {
      close(descriptor);
    }
    for (Connection connection : changes.connections()) {
      open(connection);
    }
    for (DiskFile file : onDisk) {
      // By a number that was closed there may be one just like it again.
      if (changes.diskFiles().isPresent() || changes.closed().contains(file.descriptor())) {
        standIn(file);
      }
    }
    for (Timer timer : changes.timers()) {
      open(timer);
    }
    // They wait for sockets that have just been opened, or for one another.
    for (Epoll epoll : changes.epolls()) {
      open(epoll);
    }
    for (Epoll epoll : changes.epolls()) {
      interest(epoll);
    }
  }

  private void open(Connection connection) throws IOException {
    int descriptor = connection.descriptor();
    String name = name(descriptor);
    int flags = connection.flags();
    if (isOpen(descriptor)) {
      int blocking = flags & Linux.O_NONBLOCK();
      calls.call("fcntl", name, Linux.__NR_fcntl(), descriptor, Linux.F_SETFL(), blocking);
      int closedOnExec = (flags & Linux.O_CLOEXEC()) != 0 ? Linux.FD_CLOEXEC() : 0;
      calls.call("fcntl", name, Linux.__NR_fcntl(), descriptor, Linux.F_SETFD(), closedOnExec);
      return;
    }
    int type = Linux.SOCK_STREAM() | flags;
    long opened = calls.call("socket", name, Linux.__NR_socket(), connection.family(), type, 0);
    move(opened, descriptor, flags);
  }

  private void open(Timer timer) throws IOException {
    if (!isOpen(timer.descriptor())) {
      String name = name(timer.descriptor());
      int call = Linux.__NR_timerfd_create();
      long opened = calls.call("timerfd_create", name, call, timer.clock(), timer.flags());
      move(opened, timer.descriptor(), timer.flags());
    }
  }

  /** What it has until the disk is here; it has one, mostly. */
  private void standIn(DiskFile file) throws IOException {
    if (!isOpen(file.descriptor())) {
      int closedOnExec = file.flags() & Linux.O_CLOEXEC();
      long path = calls.put(STAND_IN);
      long opened =
          calls.call("open", file.path(), Linux.__NR_open(), path, Linux.O_RDWR() | closedOnExec);
      move(opened, file.descriptor(), closedOnExec);
    }
  }

  private void open(Epoll epoll) throws IOException {
    if (!isOpen(epoll.descriptor())) {
      String name = name(epoll.descriptor());
      int flags = epoll.flags() & Linux.O_CLOEXEC();
      long opened = calls.call("epoll_create1", name, Linux.__NR_epoll_create1(), flags);
      move(opened, epoll.descriptor(), flags);
    }
  }

  /** What was opened gets the number that it is to have, which is free. */
  private void move(long opened, int descriptor, int flags) throws IOException {
    if (opened != descriptor) {
      String name = name(descriptor);
      int closedOnExec = flags & Linux.O_CLOEXEC();
      calls.call("dup3", name, Linux.__NR_dup3(), opened, descriptor, closedOnExec);
      close(opened);
    }
  }

  private void close(long descriptor) throws IOException {
    calls.call("close", name(descriptor), Linux.__NR_close(), descriptor);
  }

  private void interest(Epoll epoll) throws IOException {
    List<EpollInterest> has =
        EpollInterest.parse(SysFiles.read("/proc/" + pid + "/fdinfo/" + epoll.descriptor()));
    Set<EpollInterest> kept = plain(epoll.interests());
    kept.retainAll(plain(has));
    for (EpollInterest one : has) {
      if (!kept.contains(one.plain())) {
        control(epoll.descriptor(), Linux.EPOLL_CTL_DEL(), one.descriptor(), 0);
      }
    }
    var missing = new ArrayList<EpollInterest>();
    for (EpollInterest one : epoll.interests()) {
      if (!kept.contains(one.plain())) {
        missing.add(one);
      }
    }
    for (int from = 0; from < missing.size(); from += MOST_EVENTS) {
      add(epoll.descriptor(), missing.subList(from, Math.min(missing.size(), from + MOST_EVENTS)));
    }
  }

  private static Set<EpollInterest> plain(List<EpollInterest> interests) {
    var plain = new HashSet<EpollInterest>();
    for (EpollInterest one : interests) {
      plain.add(one.plain());
    }
    return plain;
  }

  private void add(int epoll, List<EpollInterest> interests) throws IOException {
    ByteBuffer events =
        ByteBuffer.allocate(interests.size() * EVENT).order(ByteOrder.nativeOrder());
    for (EpollInterest one : interests) {
      events.putInt(one.events()).putLong(one.data());
    }
    long at = calls.put(events.array());
    for (EpollInterest one : interests) {
      control(epoll, Linux.EPOLL_CTL_ADD(), one.descriptor(), at);
      at += EVENT;
    }
  }

  private void control(int epoll, int operation, int descriptor, long event) throws IOException {
    String what = "epoll " + epoll + ", descriptor " + descriptor + " of process " + pid;
    calls.call("epoll_ctl", what, Linux.__NR_epoll_ctl(), epoll, operation, descriptor, event);
  }

  private boolean isOpen(int descriptor) {
    return Files.isSymbolicLink(Path.of("/proc/" + pid + "/fd/" + descriptor));
  }

  private String name(long descriptor) {
    return "descriptor " + descriptor + " of process " + pid;
  }
}
