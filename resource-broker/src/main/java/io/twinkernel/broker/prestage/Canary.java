package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of no use that goes through all that a staged one goes through, in one kernel and into
 * itself, so that in the gap nothing is done for the first time.
 */
public final class Canary {
  private static final Duration STOPS_WITHIN = Duration.ofSeconds(30);
  private static final long LOOK_EVERY_NANOS = 100_000;
  private static final int FLIGHTS = 5;
  private static final int ROOM = 1 << 16;
  private static final int LOOPBACK = 0x7f000001;

  private Canary() {}

  /**
   * Sends so many over that what they run is compiled.
   *
   * @throws IOException what would have failed in the gap, too
   */
  public static void flyOften() throws IOException {
    for (int i = 0; i < FLIGHTS; i++) {
      fly();
    }
  }

  /**
   * Sends one over.
   *
   * @throws IOException what would have failed in the gap
   */
  public static void fly() throws IOException {
    // Java waits for its children, and would take what the tracer waits for: a grandchild it is.
    Process parent =
        new ProcessBuilder("/bin/sh", "-c", "sleep 3600 >&- & echo \"$!\"; wait").start();
    int pid;
    try (var output = parent.inputReader(StandardCharsets.US_ASCII)) {
      pid = Integer.parseUnsignedInt(Objects.requireNonNullElse(output.readLine(), ""));
    } catch (NumberFormatException e) {
      throw new IOException("the canary did not start", e);
    }
    try {
      stop(pid);
      roundTrip(pid);
      connection();
    } finally {
      Processes.kill(pid, Linux.SIGKILL());
      parent.destroyForcibly();
    }
  }

  private static void stop(int pid) throws IOException {
    Processes.kill(pid, Linux.SIGSTOP());
    long deadline = System.nanoTime() + STOPS_WITHIN.toNanos();
    while (!SysFiles.read("/proc/" + pid + "/stat").contains(") T ")) {
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("the canary " + pid + " does not stop");
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  private static void roundTrip(int pid) throws IOException {
    var frames = new ArrayList<MemorySegment>();
    ProcessDelta delta;
    try (Arena arena = Arena.ofShared()) {
      try (var source = SourceProcess.follow(pid, SyscallWatch.possible())) {
        source.restructured();
        source.collect();
        source.send(new Collector(arena, frames));
        delta = ProcessDelta.fromBytes(source.delta().toBytes());
      }
      try (var staged = StagedProcess.hold(pid, List.of(pid), List.of())) {
        for (MemorySegment frame : frames) {
          staged.takePages(frame);
        }
        staged.take(delta);
      }
    }
  }

  private record Collector(Arena arena, List<MemorySegment> frames)
      implements SourceProcess.Sender {
    @Override
    public long limit() {
      return ROOM;
    }

    @Override
    public void send(int most, SourceProcess.Frame frame) throws IOException {
      MemorySegment room = arena.allocate(most);
      frames.add(room.asSlice(0, frame.fill(room)));
    }
  }

  /** Repair mode connects to nobody: a connection can be made up. */
  private static void connection() throws IOException {
    byte[] one = {1};
    var made =
        new TcpState(
            0,
            address(1),
            address(2),
            Linux.TCPI_OPT_TIMESTAMPS(),
            0,
            1460,
            1,
            window(),
            1,
            1,
            one,
            one);
    try (Fd socket = socket()) {
      TcpRepair.restore(socket, made);
      TcpRepair.capture(socket, 0);
    }
  }

  /** Open, so that the socket does not want to tell its peer of a larger one. */
  private static byte[] window() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment window = arena.allocate(tcp_repair_window.layout());
      tcp_repair_window.rcv_wnd(window, 1 << 16);
      return window.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static Fd socket() throws IOException {
    return Sockets.socket(Linux.AF_INET(), Linux.SOCK_STREAM(), 0);
  }

  /** A {@code sockaddr_in}. */
  private static byte[] address(int port) {
    ByteBuffer address = ByteBuffer.allocate(16);
    address.put(0, (byte) Linux.AF_INET());
    address.putShort(2, (short) port);
    address.putInt(4, LOOPBACK);
    return address.array();
  }
}
