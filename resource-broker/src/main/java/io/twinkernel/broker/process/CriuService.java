package io.twinkernel.broker.process;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The process {@code criu service}. Its socket's messages are datagrams in order (SOCK_SEQPACKET),
 * one for each request and answer.
 */
final class CriuService implements AutoCloseable {

  private static final int LARGEST_ANSWER = 64 << 10;
  private static final String SOCKET = "criu.sock";
  private static final String LOG = "service.log";

  private final Process process;
  private final Path socket;

  private CriuService(Process process, Path socket) {
    this.process = process;
    this.socket = socket;
  }

  static CriuService start(Path criu, Path work, CriuClocks clocks) throws IOException {
    Path absolute = work.toAbsolutePath();
    ProcessBuilder builder =
        new ProcessBuilder(
            criu.toString(),
            "service",
            "--address",
            absolute.resolve(SOCKET).toString(),
            "--work-dir",
            absolute.toString(),
            "--log-file",
            LOG,
            "--status-fd",
            "1");
    builder.redirectError(ProcessBuilder.Redirect.to(absolute.resolve("service.err").toFile()));
    Process process =
        switch (clocks) {
          case CriuClocks.Kernel _ -> builder.start();
          case CriuClocks.Shifted(ClockOffsets offsets) -> TimeNamespace.start(builder, offsets);
          case CriuClocks.Of(int pid) -> TimeNamespace.startIn(builder, pid);
        };
    // One zero byte, written when the service listens (status_ready() in criu/util.c); from 4.2 on
    // it is preceded by a remark about the socket.
    try (InputStream said = process.getInputStream()) {
      int last = said.read();
      while (last > 0) {
        last = said.read();
      }
      if (last < 0) {
        process.destroyForcibly();
        String log = Criu.tail(absolute.resolve(LOG)) + Criu.tail(absolute.resolve("service.err"));
        throw new CriuException(
            CriuCommand.START,
            0,
            "it did not start",
            "run 'criu check' and load the modules it misses (tun, veth, nf_tables, *_diag)",
            log);
      }
    }
    return new CriuService(process, absolute.resolve(SOCKET));
  }

  /** A connection, for which the service forks a worker that waits for a request. */
  Fd connect() throws IOException {
    Fd connection = Sockets.socket(Linux.AF_UNIX(), Linux.SOCK_SEQPACKET(), 0);
    try {
      Sockets.connectUnix(connection, socket.toString());
      return connection;
    } catch (IOException e) {
      connection.close();
      throw e;
    }
  }

  static byte[] exchange(Fd connection, byte[] request, Duration within) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(request.length);
      MemorySegment.copy(request, 0, out, ValueLayout.JAVA_BYTE, 0, request.length);
      connection.write(out);
      if (connection.poll(Linux.POLLIN(), within) == 0) {
        throw new SocketTimeoutException("no answer within " + within);
      }
      MemorySegment in = arena.allocate(LARGEST_ANSWER);
      int length = connection.read(in);
      if (length == 0) {
        throw new EOFException("it ended without an answer");
      }
      return in.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Override
  public void close() {
    // In a namespace of its own it is below the shell that made that.
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
  }

  /**
   * Ends services in that folder that someone left behind. A worker goes on with what it is at, and
   * is waited for: a process that it dumps would not survive its end.
   *
   * @throws IOException if one is still at it after that long
   */
  static void endLeft(Path work, Duration within) throws IOException {
    String address = work.toAbsolutePath().resolve(SOCKET).toString();
    List<ProcessHandle> left =
        ProcessHandle.allProcesses()
            .filter(
                one -> one.info().commandLine().filter(line -> line.contains(address)).isPresent())
            .toList();
    left.stream().filter(one -> !isWorker(one)).forEach(ProcessHandle::destroy);
    try {
      CompletableFuture.allOf(
              left.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new))
          .get(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("CRIU is still at work for a broker that has ended: " + left, e);
    }
  }

  /** A worker is the service's child, and runs the same program. */
  private static boolean isWorker(ProcessHandle one) {
    return one.parent().flatMap(parent -> parent.info().command()).equals(one.info().command());
  }
}
