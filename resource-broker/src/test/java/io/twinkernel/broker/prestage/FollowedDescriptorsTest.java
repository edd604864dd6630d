package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** What one shell opens, closes and waits for, another one does after it. */
final class FollowedDescriptorsTest {
  // Of arch/x86/entry/syscalls/syscall_64.tbl.
  private static final int CONNECT = 42;
  private static final int EVENTFD2 = 290;
  private static final int DUP2 = 33;
  private static final int WRITE = 1;
  private static final int SETSOCKOPT = 54;
  private static final int EPOLL_WAIT = 232;

  // Of include/uapi/linux/eventpoll.h.
  private static final int EPOLLIN = 1;
  private static final int EPOLLET = 1 << 31;

  private static final int EVENT = 12;

  private static final int READ_WRITE = 3;
  private static final int ANONYMOUS = 0x22;

  private final List<Socket> peers = new ArrayList<>();
  private ServerSocket listener;
  private StoppedShell one;
  private StoppedShell other;
  private SourceProcess source;
  private StagedProcess copy;
  private int counter;

  @BeforeEach
  void start() throws Exception {
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    one = StoppedShell.start();
    other = StoppedShell.start();
    counter = (int) one.call(EVENTFD2, 0, 0);
    assertThat(other.call(EVENTFD2, 0, 0)).isEqualTo(counter);
    source = SourceProcess.follow(one.pid(), "", false);
    source.begin();
    copy =
        StagedProcess.hold(other.pid(), List.of(other.pid()), List.of(), List.of(), List.of(), "");
  }

  @AfterEach
  void end() throws Exception {
    for (Socket peer : peers) {
      peer.close();
    }
    listener.close();
    copy.close();
    source.close();
    other.close();
    one.close();
  }

  /** Returns its descriptor. */
  private int connect() throws IOException {
    int socket = (int) one.call(Linux.__NR_socket(), Linux.AF_INET(), Linux.SOCK_STREAM(), 0);
    ByteBuffer address = ByteBuffer.allocate(16);
    address.put(0, (byte) Linux.AF_INET());
    address.putShort(2, (short) listener.getLocalPort());
    address.put(4, listener.getInetAddress().getAddress());
    one.callWith(address.array(), 1, CONNECT, socket, 0, 16);
    peers.add(listener.accept());
    return socket;
  }

  private static byte[] event(int events, long data) {
    return ByteBuffer.allocate(EVENT)
        .order(ByteOrder.nativeOrder())
        .putInt(events)
        .putLong(data)
        .array();
  }

  private void add(int epoll, int descriptor, int events, long data) throws IOException {
    one.callWith(
        event(events, data),
        3,
        Linux.__NR_epoll_ctl(),
        epoll,
        Linux.EPOLL_CTL_ADD(),
        descriptor,
        0);
  }

  private void count(long add) throws IOException {
    byte[] bytes =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(add).array();
    one.callWith(bytes, 1, WRITE, counter, 0, Long.BYTES);
  }

  private void set(int socket, int level, int option, int value) throws IOException {
    byte[] bytes =
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(value).array();
    one.callWith(bytes, 3, SETSOCKOPT, socket, level, option, 0, Integer.BYTES);
  }

  /** What the one has become, the other becomes. */
  private void follow() throws IOException {
    assertThat(source.restructuredOutside(Steps.UNTOLD)).isEmpty();
    assertThat(source.sharedConnection(new HashSet<>())).isEmpty();
    DescriptorChanges changes = source.descriptors(Optional.empty());
    assertThat(source.arrived(Steps.UNTOLD)).isEmpty();
    DescriptorChanges read = DescriptorChanges.fromBytes(changes.toBytes());
    copy.takeDescriptors(
        new DescriptorChanges(
            other.pid(), read.closed(), read.connections(), read.epolls(), read.counters()));
  }

  private static String info(StoppedShell shell, int descriptor) throws IOException {
    return SysFiles.read("/proc/" + shell.pid() + "/fdinfo/" + descriptor);
  }

  private void assertAlike() throws IOException {
    assertThat(other.descriptors()).isEqualTo(one.descriptors());
    for (int number : one.descriptors()) {
      String said = info(one, number);
      assertThat(DiskFile.flags(info(other, number)))
          .as("descriptor %d", number)
          .isEqualTo(DiskFile.flags(said));
      String target = Descriptors.target(one.pid(), number);
      if (target.equals(Descriptors.EPOLL)) {
        List<EpollInterest> wanted = EpollInterest.parse(said);
        List<EpollInterest> has = EpollInterest.parse(info(other, number));
        assertThat(has).hasSameSizeAs(wanted);
        assertThat(wanted)
            .allSatisfy(
                interest ->
                    assertThat(has).anyMatch(each -> each.plain().equals(interest.plain())));
      } else if (target.startsWith("socket:")) {
        try (Fd mine = one.descriptor(number);
            Fd theirs = other.descriptor(number)) {
          assertThat(ConnectionOptions.of(theirs, Linux.AF_INET(), false))
              .isEqualTo(ConnectionOptions.of(mine, Linux.AF_INET(), false));
        }
      } else {
        assertThat(EventCounter.parse(info(other, number))).isEqualTo(EventCounter.parse(said));
      }
    }
  }

  @Test
  void aConnectionThatCameSinceGoesOver() throws Exception {
    int socket = connect();
    set(socket, Linux.IPPROTO_TCP(), Linux.TCP_NODELAY(), 1);
    set(socket, Linux.SOL_SOCKET(), Linux.SO_KEEPALIVE(), 1);
    set(socket, Linux.IPPROTO_TCP(), Linux.TCP_KEEPIDLE(), 77);
    set(socket, Linux.SOL_SOCKET(), Linux.SO_RCVBUF(), 100_000);
    one.call(Linux.__NR_fcntl(), socket, Linux.F_SETFL(), Linux.O_NONBLOCK());
    int epoll = (int) one.call(Linux.__NR_epoll_create1(), Linux.O_CLOEXEC());
    add(epoll, socket, EPOLLIN | EPOLLET, 0x1234_5678_9abc_def0L);
    count(7);

    follow();

    assertAlike();
    ProcessDelta state = source.readConnections(Steps.UNTOLD);
    source.letGo();
    // In repair mode: the peer learns nothing of it.
    one.call(Linux.__NR_close(), socket);
    copy.takeConnections(
        new ProcessDelta(other.pid(), List.of(), state.connections(), List.of()), Steps.UNTOLD);
    peers.getFirst().getOutputStream().write(1);
    copy.connect();
    long page = other.call(Linux.__NR_mmap(), 0, PageScan.PAGE, READ_WRITE, ANONYMOUS, -1, 0);
    assertThat(other.call(EPOLL_WAIT, epoll, page, 1, -1)).isEqualTo(1);
    assertThat(other.read(page, EVENT)).isEqualTo(event(EPOLLIN, 0x1234_5678_9abc_def0L));
  }

  @Test
  void aConnectionThatIsClosedIsClosedAtOnce() throws Exception {
    int socket = connect();
    follow();
    source.letGo();
    one.call(Linux.__NR_close(), socket);
    assertThat(peers.getFirst().getInputStream().read()).isEqualTo(-1);
    follow();
    assertAlike();
  }

  @Test
  void whatIsOnItsWayIsNotToldOf() throws Exception {
    int epoll = (int) one.call(Linux.__NR_epoll_create1(), 0);
    int socket = (int) one.call(Linux.__NR_socket(), Linux.AF_INET(), Linux.SOCK_STREAM(), 0);
    add(epoll, socket, EPOLLIN, 1);
    assertThat(source.restructuredOutside(Steps.UNTOLD)).isEmpty();
    DescriptorChanges changes = source.descriptors(Optional.empty());
    assertThat(changes.connections()).isEmpty();
    assertThat(changes.epolls()).singleElement().matches(one -> one.interests().isEmpty());
    assertThat(source.arrived(Steps.UNTOLD)).get().asString().contains("TCP state 7");
    copy.takeDescriptors(
        new DescriptorChanges(other.pid(), List.of(), List.of(), changes.epolls(), List.of()));

    ByteBuffer address = ByteBuffer.allocate(16);
    address.put(0, (byte) Linux.AF_INET());
    address.putShort(2, (short) listener.getLocalPort());
    address.put(4, listener.getInetAddress().getAddress());
    one.callWith(address.array(), 1, CONNECT, socket, 0, 16);
    follow();
    assertAlike();
  }

  @Test
  void aConnectionWithTwoDescriptorsIsNoticed() throws Exception {
    int socket = connect();
    one.call(DUP2, socket, 77);
    assertThat(source.restructuredOutside(Steps.UNTOLD)).isEmpty();
    assertThat(source.sharedConnection(new HashSet<>()))
        .contains("connection 77 is descriptor " + socket + ", too");
  }

  private void takeFiles(List<Integer> closed, Optional<List<DiskFile>> files) throws IOException {
    copy.takeDescriptors(
        new DescriptorChanges(
            other.pid(), closed, List.of(), List.of(), List.of(), List.of(), files));
  }

  /** A file that was closed and opened again, by the same number, is not told of anew. */
  @Test
  void filesOnADiskHaveStandInsAsLongAsThereAreAny() throws Exception {
    var file =
        new DiskFile(
            9, "/nowhere/data", Linux.O_RDWR() | Linux.O_CLOEXEC(), 5, 0100644, Optional.empty());
    takeFiles(List.of(), Optional.of(List.of(file)));
    assertThat(Descriptors.target(other.pid(), 9)).isEqualTo("/dev/null");
    assertThat(DiskFile.flags(info(other, 9)) & Linux.O_CLOEXEC()).isNotZero();
    takeFiles(List.of(9), Optional.empty());
    assertThat(Descriptors.target(other.pid(), 9)).isEqualTo("/dev/null");
    assertThat(copy.diskFiles()).containsExactly(file.path());
    takeFiles(List.of(9), Optional.of(List.of()));
    assertThat(other.descriptors()).doesNotContain(9);
    assertThat(copy.diskFiles()).isEmpty();
  }

  @Test
  void aConnectionOfTwoProcessesIsNoticed() throws Exception {
    connect();
    assertThat(source.restructuredOutside(Steps.UNTOLD)).isEmpty();
    var found = new HashSet<String>();
    assertThat(source.sharedConnection(found)).isEmpty();
    assertThat(source.sharedConnection(found)).isPresent();
  }

  /** Whatever it does, in whatever order. */
  @RepeatedTest(10)
  void oneFollowsTheOther(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    var sockets = new ArrayList<Integer>();
    var epolls = new ArrayList<Integer>();
    for (int step = 0; step < 60; step++) {
      switch (random.nextInt(8)) {
        case 0, 1 -> sockets.add(connect());
        case 2 -> {
          if (!sockets.isEmpty()) {
            one.call(
                Linux.__NR_close(), sockets.remove(/* index */ random.nextInt(sockets.size())));
          }
        }
        case 3 -> {
          if (!sockets.isEmpty()) {
            int from = sockets.remove(/* index */ random.nextInt(sockets.size()));
            int to = 100 + random.nextInt(50);
            if (!sockets.contains(to)) {
              one.call(DUP2, from, to);
              sockets.add(to);
            }
            one.call(Linux.__NR_close(), from);
            // What waits for the old number waits for what has no descriptor of that number.
            for (int epoll : epolls) {
              one.call(Linux.__NR_close(), epoll);
            }
            epolls.clear();
          }
        }
        case 4 -> {
          if (epolls.size() < 3) {
            epolls.add((int) one.call(Linux.__NR_epoll_create1(), 0));
          }
        }
        case 5, 6 -> {
          if (!epolls.isEmpty() && !sockets.isEmpty()) {
            int epoll = epolls.get(random.nextInt(epolls.size()));
            int socket = sockets.get(random.nextInt(sockets.size()));
            boolean waits =
                EpollInterest.parse(info(one, epoll)).stream()
                    .anyMatch(interest -> interest.descriptor() == socket);
            if (waits) {
              one.call(Linux.__NR_epoll_ctl(), epoll, Linux.EPOLL_CTL_DEL(), socket, 0);
            } else {
              add(epoll, socket, EPOLLIN, random.nextLong());
            }
          }
        }
        default -> count(1 + random.nextInt(1000));
      }
      if (random.nextInt(4) == 0) {
        follow();
        assertAlike();
        source.letGo();
      }
    }
    follow();
    assertAlike();
  }
}
