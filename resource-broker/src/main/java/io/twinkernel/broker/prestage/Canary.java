package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Niceness;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of no use, and a connection of no use, that go through all that those of a service go
 * through, in one kernel and into themselves, so that in the gap nothing is done for the first
 * time.
 */
public final class Canary implements AutoCloseable {
  private static final Duration STOPS_WITHIN = Duration.ofSeconds(30);
  private static final long LOOK_EVERY_NANOS = 100_000;
  private static final int ROOM = 1 << 16;

  /**
   * What is done once for a connection is to be done often enough in all flights to be compiled,
   * which takes 200 times.
   */
  private static final int CONNECTIONS = 12;

  // Two numbers that it has free.
  private static final int SOCKET = 8;
  private static final int EPOLL = 9;

  private static final long PAGES = 8 * PageScan.PAGE;
  private static final int EPOLLIN = 1; // include/uapi/linux/eventpoll.h

  private static final int MSG_MORE = 0x8000; // include/linux/socket.h

  // In their queues, so that these are taken along, too.
  private static final byte QUESTION = 1;
  private static final byte ANSWER = 2;

  /** So many begin and end a thread. */
  private static final int THREAD_FLIGHTS = 8;

  /** SS_DISABLE of include/uapi/linux/signal.h. */
  private static final int NO_SIGNAL_STACK = 2;

  private final Process parent;
  private final int pid;
  private final SourceProcess source;

  /** It has this open. */
  private final DiskFile file;

  private final ServerSocket listener;

  private int threadFlights;

  private Canary(
      Process parent, int pid, SourceProcess source, DiskFile file, ServerSocket listener) {
    this.parent = parent;
    this.pid = pid;
    this.source = source;
    this.file = file;
    this.listener = listener;
  }

  /** Starts a command. */
  @FunctionalInterface
  public interface Starter {
    Process start(ProcessBuilder command) throws IOException;
  }

  /** Starts one; it stops at once. */
  public static Canary hatch() throws IOException {
    return hatch(ProcessBuilder::start);
  }

  /**
   * Starts one; it stops at once.
   *
   * @param starter starts its parent
   */
  public static Canary hatch(Starter starter) throws IOException {
    Path file = Files.createTempFile("canary", null);
    try {
      return hatch(starter, file);
    } catch (IOException e) {
      Files.delete(file);
      throw e;
    }
  }

  private static Canary hatch(Starter starter, Path file) throws IOException {
    // Java waits for its children, and would take what the tracer waits for: init's child it is. It
    // stops itself, for it is complete only then: before, it opens libraries and closes what it was
    // given.
    String work = "setsid /bin/sh -c 'kill -STOP \"$$\"' <\"$0\" >&- & echo \"$!\"";
    Process parent = starter.start(new ProcessBuilder("/bin/sh", "-c", work, file.toString()));
    int pid;
    try (var output = parent.inputReader(StandardCharsets.US_ASCII)) {
      pid = Integer.parseUnsignedInt(Objects.requireNonNullElse(output.readLine(), ""));
    } catch (NumberFormatException e) {
      parent.destroyForcibly();
      throw new IOException("the canary did not start", e);
    }
    try {
      awaitStopped(pid);
      blockSignals(pid);
      SourceProcess source = SourceProcess.follow(pid, "", SyscallWatch.possible());
      try {
        source.begin();
        return new Canary(parent, pid, source, input(pid), listen());
      } catch (IOException e) {
        source.close();
        throw e;
      }
    } catch (IOException e) {
      end(parent, pid);
      throw e;
    }
  }

  /** One that waits for it is not in the way of its calls. */
  private static void blockSignals(int pid) throws IOException {
    ThreadRegisters.hold(pid);
    try {
      Ptrace.setSignalMask(pid, PendingSignals.ALL);
    } finally {
      Ptrace.detach(pid);
    }
  }

  private static DiskFile input(int pid) throws IOException {
    try (Fd process = Processes.open(pid);
        OpenFile input = OpenFile.of(pid, pid, process, 0)) {
      return DiskFile.of(0, input);
    }
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  /** Until a process that a SIGSTOP is to stop has stopped. */
  static void awaitStopped(int pid) throws IOException {
    long deadline = System.nanoTime() + STOPS_WITHIN.toNanos();
    while (!SysFiles.read("/proc/" + pid + "/stat").contains(") T ")) {
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("process " + pid + " does not stop");
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  /** Of the process, which is stopped. */
  public int pid() {
    return pid;
  }

  /**
   * Sends both over and back.
   *
   * @throws IOException what would have failed in the gap, too
   */
  public void fly() throws IOException {
    process();
    connections();
  }

  /** What is done with a fork. */
  @FunctionalInterface
  public interface WithFork {
    void accept(ForkedProcess fork) throws IOException;
  }

  /** Forks it, as a process is forked that runs on while it is dumped. */
  public void fork(WithFork then) throws IOException {
    try (var forked = SourceProcess.fork(pid, "", Set.of(pid), false)) {
      then.accept(forked.forked().orElseThrow());
    }
  }

  private void process() throws IOException {
    var frames = new ArrayList<MemorySegment>();
    // After the flight before it may still be on its way there.
    awaitStopped(pid);
    try (Arena arena = Arena.ofShared()) {
      Processes.kill(pid, Linux.SIGUSR1());
      look();
      source.memory().collect();
      source.memory().send(new Collector(arena, frames), false);
      ProcessDelta connections = overAndBack(source.readConnections(Steps.UNTOLD));
      source.beginRegisters();
      ProcessDelta rest = overAndBack(withTimer(source.readRest(Steps.UNTOLD)));
      try (var staged =
          StagedProcess.hold(pid, List.of(pid), List.of(), List.of(0), List.of(file), "")) {
        reshape(staged);
        for (MemorySegment frame : frames) {
          staged.takePages(frame);
        }
        if (Files.exists(Path.of(TwinDevice.PATH))) {
          try (TwinDevice module = TwinDevice.open()) {
            staged.reopen(new FileExchange(module));
          }
        }
        staged.takeConnections(connections, Steps.UNTOLD);
        staged.take(rest, Steps.UNTOLD);
        staged.seek();
        staged.connect();
      }
    }
  }

  /** It strikes at once: a fork has none. */
  private static ProcessDelta withTimer(ProcessDelta rest) throws IOException {
    Optional<IntervalTimer> timer = Optional.of(IntervalTimer.in(0, 0));
    return new ProcessDelta(
        rest.pid(),
        rest.threads(),
        List.of(),
        rest.offsets(),
        timer,
        rest.timers(),
        rest.signals());
  }

  private void look() throws IOException {
    var _ = source.restructuredWithin(Steps.UNTOLD);
    // It has opened its file anew, in the flight before: that is seen, and no obstacle here.
    var _ = source.restructuredOutside(Steps.UNTOLD);
    var _ = source.arrived(Steps.UNTOLD);
    source.letGo();
  }

  /** Opens and maps what it is told of, which is then told of it, and not there in the end. */
  private void reshape(StagedProcess staged) throws IOException {
    MemoryShape shape = MemoryShape.of(pid, MemoryMap.read(pid));
    try (var follower = SourceProcess.follow(pid, "", false)) {
      follower.begin();
      staged.takeDescriptors(overAndBack(opened()));
      staged.takeMemoryShape(overAndBack(wider(shape)));
      connect();
      DescriptorChanges told = look(follower);
      if (!told.toString().contains("connections [" + SOCKET + "], epolls [" + EPOLL + "]")) {
        throw new IOException("of the canary was told: " + told);
      }
      var _ = follower.memory().shape();
      var _ = follower.memory().collect();
      follower.letGo();
      staged.takeDescriptors(overAndBack(closed()));
      staged.takeMemoryShape(overAndBack(shape));
    }
  }

  /**
   * Begins a thread and ends it, as a copy does in the gap whose process has done so just before:
   * in the first flights, as most switches do not, and it takes as long as all the rest.
   */
  public void threads() throws IOException {
    if (threadFlights == THREAD_FLIGHTS) {
      return;
    }
    threadFlights++;
    int number = Math.max(PidSpace.last(), PidSpace.RESERVED) + 2;
    while (Files.exists(Path.of("/proc/" + number))) {
      number++;
    }
    var thread =
        new ThreadAttributes(
            number,
            "canary",
            0,
            new ThreadAttributes.SignalStack(0, 0, NO_SIGNAL_STACK),
            0,
            0,
            0,
            new ThreadAttributes.Scheduling(Niceness.of(pid), Linux.SCHED_OTHER(), 0),
            Optional.empty());
    try (var staged = StagedProcess.hold(pid, List.of(pid), List.of(), List.of(), List.of(), "")) {
      staged.takeThreads(
          overAndBack(new ThreadChanges(pid, List.of(), List.of(thread), List.of())));
      staged.takeThreads(
          overAndBack(new ThreadChanges(pid, List.of(number), List.of(), List.of())));
    }
  }

  private static ThreadChanges overAndBack(ThreadChanges changes) throws IOException {
    return ThreadChanges.fromBytes(changes.toBytes());
  }

  private static DescriptorChanges look(SourceProcess follower) throws IOException {
    var _ = follower.restructuredWithin(Steps.UNTOLD);
    var _ = follower.restructuredOutside(Steps.UNTOLD);
    var _ = follower.sharedConnection(new HashSet<>());
    DescriptorChanges told = follower.descriptors(Optional.empty());
    var _ = follower.arrived(Steps.UNTOLD);
    return told;
  }

  /** In repair mode, in which the socket is, nobody is asked. */
  private void connect() throws IOException {
    try (Fd process = Processes.open(pid);
        Fd socket = Processes.descriptor(process, SOCKET)) {
      Sockets.connect(socket, address(listener));
    }
  }

  /** With some pages below all that it has. */
  private static MemoryShape wider(MemoryShape shape) {
    long end = shape.parts().getFirst().start() - PAGES;
    var parts = new ArrayList<MemoryShape.Part>();
    parts.add(
        new MemoryShape.Part(
            end - PAGES, end, Linux.PROT_READ() | Linux.PROT_WRITE(), MemoryShape.Kind.ANONYMOUS));
    parts.addAll(shape.parts());
    return new MemoryShape(shape.pid(), parts);
  }

  private static MemoryShape overAndBack(MemoryShape shape) throws IOException {
    return MemoryShape.fromBytes(shape.toBytes());
  }

  /** A connection and an epoll that waits for it, neither of which it has. */
  private DescriptorChanges opened() throws IOException {
    try (Fd socket = tcp()) {
      return new DescriptorChanges(
          pid,
          List.of(),
          List.of(
              new DescriptorChanges.Connection(
                  SOCKET, 0, Linux.AF_INET(), ConnectionOptions.of(socket, Linux.AF_INET(), true))),
          List.of(
              new DescriptorChanges.Epoll(
                  EPOLL, Linux.O_CLOEXEC(), List.of(new EpollInterest(SOCKET, EPOLLIN, EPOLL, 0)))),
          List.of());
    }
  }

  private DescriptorChanges closed() {
    return new DescriptorChanges(pid, List.of(SOCKET, EPOLL), List.of(), List.of(), List.of());
  }

  private static DescriptorChanges overAndBack(DescriptorChanges changes) throws IOException {
    return DescriptorChanges.fromBytes(changes.toBytes());
  }

  private static ProcessDelta overAndBack(ProcessDelta delta) throws IOException {
    return ProcessDelta.fromBytes(delta.toBytes());
  }

  private record Collector(Arena arena, List<MemorySegment> frames)
      implements FollowedMemory.Sender {
    @Override
    public long limit() {
      return ROOM;
    }

    @Override
    public void send(int most, FollowedMemory.Frame frame) throws IOException {
      MemorySegment room = arena.allocate(most);
      frames.add(room.asSlice(0, frame.fill(room)));
    }
  }

  /**
   * Their peers notice nothing, and the new sockets have what the old ones were to read and say.
   */
  private void connections() throws IOException {
    var opened = new ArrayList<Fd>();
    var peers = new ArrayList<Socket>();
    try (var raw = RawSockets.open();
        Arena arena = Arena.ofConfined()) {
      var sources = new ArrayList<TcpCapture.Source>();
      for (int i = 0; i < CONNECTIONS; i++) {
        Fd old = tcp();
        opened.add(old);
        sources.add(new TcpCapture.Source(i, old));
        Sockets.connect(old, address(listener));
        Socket peer = listener.accept();
        peers.add(peer);
        peer.getOutputStream().write(QUESTION);
        write(old);
      }
      List<TcpState> states = TcpCapture.of(sources);
      for (Fd old : opened) {
        // In repair mode it goes without a word.
        old.close();
      }
      var targets = new ArrayList<TcpRestore.Target>();
      var said = new CallBatch(arena, CONNECTIONS, CONNECTIONS * 128);
      for (TcpState state : states) {
        Fd copy = tcp();
        opened.add(copy);
        targets.add(new TcpRestore.Target(copy, TcpRestore.clear(copy), state));
        raw.send(said, TcpSegment.of(state));
      }
      TcpRestore.restore(targets, raw);
      said.run();
      TcpRestore.resumption(arena, targets, raw).run();
      for (int i = 0; i < CONNECTIONS; i++) {
        read(targets.get(i).fd());
        if (peers.get(i).getInputStream().read() != ANSWER) {
          throw new IOException("the canary's answer was lost on its way");
        }
      }
    } finally {
      for (Socket peer : peers) {
        peer.close();
      }
      for (Fd fd : opened) {
        fd.close();
      }
    }
  }

  private static Fd tcp() throws IOException {
    return Sockets.socket(Linux.AF_INET(), Linux.SOCK_STREAM(), 0);
  }

  /** Held back: it has not gone when the connection does. */
  private static void write(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Sockets.send(socket, arena.allocateFrom(ValueLayout.JAVA_BYTE, ANSWER), MSG_MORE);
    }
  }

  /** What had come before is there, and not waited for. */
  private static void read(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment question = arena.allocate(ValueLayout.JAVA_BYTE);
      int read = Sockets.recv(socket, question, Linux.MSG_DONTWAIT());
      if (read != 1 || question.get(ValueLayout.JAVA_BYTE, 0) != QUESTION) {
        throw new IOException("the canary's question was lost on its way");
      }
    }
  }

  /** A {@code sockaddr_in}. */
  private static byte[] address(ServerSocket listener) {
    ByteBuffer address = ByteBuffer.allocate(16);
    address.put(0, (byte) Linux.AF_INET());
    address.putShort(2, (short) listener.getLocalPort());
    address.put(4, listener.getInetAddress().getAddress());
    return address.array();
  }

  @Override
  public void close() throws IOException {
    try (source) {
      end(parent, pid);
    } finally {
      Files.delete(Path.of(file.path()));
      listener.close();
    }
  }

  private static void end(Process parent, int pid) throws IOException {
    try {
      Processes.kill(pid, Linux.SIGKILL());
    } finally {
      parent.destroyForcibly();
    }
  }
}
