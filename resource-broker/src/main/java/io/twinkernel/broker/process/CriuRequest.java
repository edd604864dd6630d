package io.twinkernel.broker.process;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Encodes requests of CRIU's service protocol; the numbers are those of images/rpc.proto in CRIU
 * 3.17.1, messages {@code criu_req} and {@code criu_opts}, unchanged up to 4.2.
 */
final class CriuRequest {

  private static final int LOG_WARNINGS = 2;
  private static final int CG_IGNORE = 0;
  private static final int TIMEOUT_SECONDS = 60;

  private CriuRequest() {}

  static byte[] version() {
    return request(CriuCommand.VERSION).toByteArray();
  }

  static byte[] featureCheck() {
    ProtobufWriter features = new ProtobufWriter().flag(1, true).flag(3, true);
    return request(CriuCommand.FEATURE_CHECK).message(5, features).toByteArray();
  }

  static byte[] preDump(int pid, Directories directories, @Nullable String parent) {
    ProtobufWriter options = new ProtobufWriter();
    options.number(1, directories.imagesFd()).number(2, pid);
    common(options, directories);
    parent(options, parent);
    options.flag(15, true); // track_mem
    environment(options, directories, List.of());
    return request(CriuCommand.PRE_DUMP).message(2, options).toByteArray();
  }

  /**
   * @param container its mounts; null if it is in none
   * @param leadsSession false: its root belongs to a session that is not dumped
   */
  static byte[] dump(
      int pid,
      Directories directories,
      @Nullable String parent,
      @Nullable ContainerMounts container,
      boolean leaveStopped,
      boolean leadsSession,
      Connections connections,
      CriuNetworkLock lock) {
    ProtobufWriter options = new ProtobufWriter();
    options.number(1, directories.imagesFd()).number(2, pid);
    options.flag(3, leaveStopped); // leave_running: what was stopped stays so
    if (!leadsSession) {
      options.flag(7, true); // shell_job
    }
    connections(options, connections);
    common(options, directories);
    parent(options, parent);
    options.flag(15, parent != null);
    environment(options, directories, container == null ? List.of() : container.dumped());
    options.number(64, lock.number());
    return request(CriuCommand.DUMP).message(2, options).toByteArray();
  }

  /**
   * @param container where its root is, and what is mounted in it; null if there is none
   */
  static byte[] restore(
      Directories directories,
      @Nullable ContainerMounts container,
      Connections connections,
      CriuNetworkLock lock) {
    ProtobufWriter options = new ProtobufWriter();
    options.number(1, directories.imagesFd());
    connections(options, connections);
    common(options, directories);
    if (container != null) {
      options.text(13, container.root().toString());
    }
    if (connections == Connections.CLOSED) {
      options.flag(16, true); // auto_dedup: what waits here needs its images no more
    }
    environment(options, directories, container == null ? List.of() : container.restored());
    options.number(64, lock.number());
    return request(CriuCommand.RESTORE).message(2, options).toByteArray();
  }

  /** What becomes of established TCP connections. */
  enum Connections {
    /** They go over. */
    KEPT,
    /** They are not looked at, and restored as sockets that are not connected. */
    CLOSED
  }

  /**
   * Where CRIU reads and writes.
   *
   * @param imagesFd number, in this process, of a descriptor of the images directory
   * @param workFd the same of the directory for logs and statistics
   * @param logFile name of the log in it
   */
  record Directories(int imagesFd, int workFd, String logFile) {}

  private static ProtobufWriter request(CriuCommand command) {
    return new ProtobufWriter().number(1, command.number());
  }

  private static void common(ProtobufWriter options, Directories directories) {
    options.flag(4, true).flag(5, true); // ext_unix_sk, tcp_established
    options.flag(8, true); // file_locks: a process that holds one could not be dumped else
    options.number(9, LOG_WARNINGS).text(10, directories.logFile());
  }

  private static void connections(ProtobufWriter options, Connections connections) {
    if (connections == Connections.CLOSED) {
      options.flag(52, true); // tcp_close
      // tcp_skip_in_flight: the process that runs accepts it, and its copy is told of it
      options.flag(46, true);
    }
  }

  private static void parent(ProtobufWriter options, @Nullable String parent) {
    if (parent != null) {
      options.text(14, parent);
    }
  }

  private static void environment(
      ProtobufWriter options, Directories directories, List<String> external) {
    options.number(17, directories.workFd());
    options.number(34, CG_IGNORE); // manage_cgroups_mode
    external.forEach(one -> options.text(37, one));
    options.number(45, TIMEOUT_SECONDS); // timeout
  }
}
