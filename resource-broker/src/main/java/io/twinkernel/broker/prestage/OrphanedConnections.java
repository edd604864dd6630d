package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Connections of copies that are the processes now, and whose broker ended before it let them
 * speak. All of a connection is in the socket by then but what its process had written and the
 * kernel not sent yet. That is kept in a file, for a broker that starts anew; there is seldom any.
 */
public record OrphanedConnections(Path folder) {
  /** Of this node. */
  public static final OrphanedConnections HERE =
      new OrphanedConnections(Path.of("/run/twin/connections"));

  /**
   * Keeps what only this program has.
   *
   * @param delta with the connections of one process
   * @param bytes that it was read from
   */
  public void keep(ProcessDelta delta, byte[] bytes) throws IOException {
    for (TcpState connection : delta.connections()) {
      if (connection.unsent() > 0) {
        Files.createDirectories(folder);
        Files.write(file(delta.pid()), bytes);
        return;
      }
    }
  }

  /** They speak: nothing is owed any more. */
  public void forget() throws IOException {
    if (Files.exists(folder)) {
      try (var files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
    }
  }

  /** Lets the connections of a process speak that do not yet. The network must be up. */
  public void resume(int pid) throws IOException {
    Map<Integer, TcpState> kept = kept(pid);
    try (RawSockets raw = RawSockets.open();
        Arena arena = Arena.ofConfined()) {
      Descriptors.eachInRepair(
          pid, (number, connection) -> resume(connection, kept.get(number), arena, raw));
    }
  }

  private static void resume(Fd connection, @Nullable TcpState kept, Arena arena, RawSockets raw)
      throws IOException {
    if (kept == null) {
      TcpRepair.release(connection);
      TcpRepair.wakeReaders(connection);
    } else {
      var target = new TcpRestore.Target(connection, kept.local(), kept);
      TcpRestore.resumption(arena, List.of(target), raw).run();
    }
  }

  private Map<Integer, TcpState> kept(int pid) throws IOException {
    var kept = new HashMap<Integer, TcpState>();
    if (Files.exists(file(pid))) {
      for (TcpState one : ProcessDelta.fromBytes(Files.readAllBytes(file(pid))).connections()) {
        kept.put(one.descriptor(), one);
      }
    }
    return kept;
  }

  private Path file(int pid) {
    return folder.resolve(Integer.toString(pid));
  }
}
