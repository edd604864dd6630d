package io.twinkernel.broker.process;

import io.twinkernel.broker.process.CriuRequest.Connections;
import io.twinkernel.broker.process.CriuRequest.Directories;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * CRIU, driven over its service protocol: a {@code criu service} of our own, one connection and
 * worker for each request, the next one's opened ahead.
 *
 * <p>Not for use by two threads at once. Closing ends the service; processes that it restored stay.
 */
public final class Criu implements AutoCloseable {

  /** A dump of gigabytes may take minutes; this only bounds a CRIU that hangs. */
  private static final Duration ANSWER_WITHIN = Duration.ofMinutes(10);

  private static final int TAIL_LINES = 20;

  private final CriuService service;
  private final Path work;
  private final Fd workFd;
  private CriuNetworkLock lock = CriuNetworkLock.NFTABLES;
  private Fd worker;
  private int requests;

  private Criu(CriuService service, Path work, Fd workFd, Fd worker) {
    this.service = service;
    this.work = work;
    this.workFd = workFd;
    this.worker = worker;
  }

  /**
   * Starts the service, with CRIU from the PATH, and waits until it has probed the kernel.
   *
   * @param work an existing directory of our own for the socket, logs and statistics; on a tmpfs
   * @throws CriuException if CRIU cannot work on this kernel, with what it says is missing
   * @throws IOException if there is no criu or the directory cannot be used
   */
  public static Criu start(Path work) throws IOException {
    return start(work, new CriuClocks.Kernel());
  }

  /**
   * Starts the service where the clocks are those of the processes that it is to dump with {@link
   * #dumpUnconnected}, or to restore with {@link #restoreUnconnected}.
   */
  public static Criu start(Path work, CriuClocks clocks) throws IOException {
    return start(Path.of("criu"), work, null, clocks);
  }

  /**
   * Starts the service.
   *
   * @param criu the program; a name without a slash is looked up in PATH
   * @param work an existing directory of our own for the socket, logs and statistics; on a tmpfs
   * @param lock how dumps keep packets away; null: as costs least
   * @param clocks what it has, and the processes that it restores
   */
  public static Criu start(Path criu, Path work, @Nullable CriuNetworkLock lock, CriuClocks clocks)
      throws IOException {
    CriuService service = CriuService.start(criu, work, clocks);
    Fd workFd = null;
    try {
      workFd = directory(work);
      Criu started = new Criu(service, work, workFd, service.connect());
      started.lock = lock == null ? CriuNetworkLock.cheapest(started.version()) : lock;
      return started;
    } catch (IOException e) {
      service.close();
      if (workFd != null) {
        workFd.close();
      }
      throw e;
    }
  }

  /**
   * Asks which CRIU it is and whether this kernel tracks memory for {@link #preDump}.
   *
   * @return the version as major·10000 + minor·100 + sublevel: 31701
   */
  public int check() throws IOException {
    int version = version();
    CriuResponse features = request(CriuCommand.FEATURE_CHECK, CriuRequest.featureCheck(), null);
    if (!features.tracksMemory()) {
      throw new CriuException(
          CriuCommand.FEATURE_CHECK,
          0,
          "this kernel does not track changed memory",
          "boot a kernel with CONFIG_MEM_SOFT_DIRTY",
          "");
    }
    return version;
  }

  /**
   * Copies the memory of a process tree that runs on.
   *
   * @param pid its root
   * @param images an existing empty directory
   * @param parent the images of the pre-dump before, which must stay where they are: this one
   *     refers to them by the relative path between both; null for the first
   */
  public CriuStatistics preDump(int pid, Path images, @Nullable Path parent) throws IOException {
    String before = relative(images, parent);
    request(CriuCommand.PRE_DUMP, images, where -> CriuRequest.preDump(pid, where, before));
    return CriuStatistics.read(work.resolve("stats-dump"));
  }

  /**
   * Dumps a process tree.
   *
   * <p>Its network interfaces must be down before the dump ends, and with {@link
   * CriuNetworkLock#SKIP} before it starts: the connections are only guarded while CRIU has them
   * locked. A packet that comes later is acknowledged by this kernel, and the restored process
   * never sees it.
   *
   * @param pid its root
   * @param images an existing empty directory
   * @param parent the images of the last pre-dump, as in {@link #preDump}; null for none
   * @param leaveStopped true: the processes, which the caller has stopped, stay stopped with their
   *     sockets usable, so that SIGCONT resumes them; false: they are killed
   */
  public CriuStatistics dump(int pid, Path images, @Nullable Path parent, boolean leaveStopped)
      throws IOException {
    return dump(pid, images, parent, null, leaveStopped, true, Connections.KEPT);
  }

  /**
   * Dumps a container whose processes are stopped, and stay so.
   *
   * @param pid its first process, as this kernel numbers it
   * @param parent as in {@link #dump(int, Path, Path, boolean)}
   */
  public CriuStatistics dump(int pid, Path images, @Nullable Path parent, ContainerMounts container)
      throws IOException {
    return dump(pid, images, parent, container, true, true, Connections.KEPT);
  }

  /**
   * Dumps a process tree that is stopped and stays so, but not its TCP connections, which are not
   * disturbed: for a copy that waits in the other kernel.
   *
   * @param parent as in {@link #dump}
   */
  public CriuStatistics dumpUnconnected(int pid, Path images, @Nullable Path parent)
      throws IOException {
    return dump(pid, images, parent, null, true, true, Connections.CLOSED);
  }

  /**
   * Dumps forks in the place of the processes that they were forked from, as {@link
   * #dumpUnconnected} would dump those.
   *
   * @param tree of all processes of one, a parent before its children
   * @param images an existing empty directory
   * @param growing files whose sizes are not to be compared when the copy is restored, as the
   *     processes may write to them while CRIU looks
   */
  public void dumpForks(List<ForkedProcess> tree, Path images, Set<String> growing)
      throws IOException {
    try (var _ = ForkFamily.show(tree, work)) {
      dump(tree.getFirst().fork(), images, null, null, true, false, Connections.CLOSED);
    }
    ForkImages.become(tree, images, growing);
  }

  private CriuStatistics dump(
      int pid,
      Path images,
      @Nullable Path parent,
      @Nullable ContainerMounts container,
      boolean leaveStopped,
      boolean leadsSession,
      Connections connections)
      throws IOException {
    if (leaveStopped && ProcessTree.read(pid).state() != 'T') {
      throw new CriuException(
          CriuCommand.DUMP, 0, "process " + pid + " is not stopped", "stop its cgroup first", "");
    }
    String before = relative(images, parent);
    request(
        CriuCommand.DUMP,
        images,
        where ->
            CriuRequest.dump(
                pid, where, before, container, leaveStopped, leadsSession, connections, lock));
    return CriuStatistics.read(work.resolve("stats-dump"));
  }

  /**
   * Restores what was dumped, in the cgroup of this process. What was stopped is stopped.
   *
   * @param images as they were dumped, with their parents at the same relative paths
   * @return PID of the tree's root, the same as it was
   */
  public int restore(Path images) throws IOException {
    return restore(images, null, Connections.KEPT);
  }

  /**
   * Restores a container, in the cgroup of this process. What was stopped is stopped.
   *
   * @param images as in {@link #restore(Path)}
   * @param container its mounts as they are here; none below its root goes into it
   * @return PID of its first process outside of it: another one than it had
   */
  public int restore(Path images, ContainerMounts container) throws IOException {
    return restore(images, container, Connections.KEPT);
  }

  /**
   * Restores what {@link #dumpUnconnected} dumped, stopped, in the cgroup of this process. Where it
   * had a connection it has a TCP socket without one.
   */
  public int restoreUnconnected(Path images) throws IOException {
    return restore(images, null, Connections.CLOSED);
  }

  private int restore(Path images, @Nullable ContainerMounts container, Connections connections)
      throws IOException {
    // Its clocks go on where this service's are, not where they were when it was dumped
    // (prepare_timens() in criu/timens.c).
    Files.deleteIfExists(images.resolve("timens-0.img"));
    return request(
            CriuCommand.RESTORE,
            images,
            where -> CriuRequest.restore(where, container, connections, lock))
        .pid();
  }

  /** What CRIU counted in the last restore. */
  public CriuStatistics restoreStatistics() throws IOException {
    return CriuStatistics.read(work.resolve("stats-restore"));
  }

  @Override
  public void close() throws IOException {
    try (service;
        workFd) {
      worker.close();
    }
  }

  /**
   * Ends services with that folder of whom nobody asks anything any more, when they are through
   * with what they do.
   */
  public static void endLeft(Path work) throws IOException {
    CriuService.endLeft(work, ANSWER_WITHIN);
  }

  private int version() throws IOException {
    return request(CriuCommand.VERSION, CriuRequest.version(), null).version();
  }

  private CriuResponse request(
      CriuCommand command, Path images, Function<Directories, byte[]> message) throws IOException {
    String log = nextLog(command);
    try (Fd directory = directory(images)) {
      var where = new Directories(directory.number(), workFd.number(), log);
      return request(command, message.apply(where), log);
    }
  }

  private CriuResponse request(CriuCommand command, byte[] message, @Nullable String log)
      throws IOException {
    CriuResponse response;
    try (Fd connection = worker) {
      response = CriuResponse.parse(CriuService.exchange(connection, message, ANSWER_WITHIN));
    } catch (IOException e) {
      worker = service.connect();
      throw failure(command, 0, String.valueOf(e.getMessage()), log, e);
    }
    worker = service.connect();
    if (!response.success()) {
      throw failure(command, response.errno(), response.error(), log, null);
    }
    return response;
  }

  private CriuException failure(
      CriuCommand command,
      int errno,
      String error,
      @Nullable String log,
      @Nullable IOException cause) {
    String tail = log == null ? "" : tail(work.resolve(log));
    String why = why(error.strip(), tail);
    CriuException failure =
        new CriuException(
            command,
            errno,
            why,
            log == null ? "see its log in " + work : "its log is " + work.resolve(log),
            tail);
    if (cause != null) {
      failure.initCause(cause);
    }
    return failure;
  }

  private String nextLog(CriuCommand command) {
    return command.words() + "-" + ++requests + ".log";
  }

  private static Fd directory(Path path) throws IOException {
    return Fd.open(path.toString(), Linux.O_RDONLY() | Linux.O_DIRECTORY());
  }

  private static @Nullable String relative(Path images, @Nullable Path parent) {
    return parent == null
        ? null
        : images.toAbsolutePath().relativize(parent.toAbsolutePath()).toString();
  }

  /** The log's last lines; what cannot be read is said in their place. */
  static String tail(Path log) {
    try {
      String text = Files.readString(log);
      int from = text.length();
      for (int lines = 0; lines <= TAIL_LINES && from >= 0; lines++) {
        from = text.lastIndexOf('\n', from - 1);
      }
      return text.substring(from + 1);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      return log + " cannot be read: " + e.getMessage();
    }
  }

  /** The first error that CRIU logged need not be the one that it gave up for: both are said. */
  private static String why(String first, String log) {
    String last = first;
    for (int from = 0, to; (to = log.indexOf('\n', from)) >= 0; from = to + 1) {
      if (log.startsWith("Error", from) && !log.substring(from, to).contains("FAILED")) {
        last = log.substring(from, to);
      }
    }
    if (first.isEmpty() || first.equals(last)) {
      return last.isEmpty() ? "it gave no reason" : last;
    }
    return first + "; at last: " + last;
  }
}
