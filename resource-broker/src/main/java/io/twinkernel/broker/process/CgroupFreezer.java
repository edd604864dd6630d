package io.twinkernel.broker.process;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops and resumes all processes of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst, {@code
 * cgroup.freeze}).
 *
 * @param cgroup a directory below the root of the hierarchy
 */
public record CgroupFreezer(Path cgroup) {

  private static final Duration LONG_ENOUGH_TO_FREEZE = Duration.ofSeconds(5);
  private static final long LOOK_EVERY_NANOS = 20_000;

  /** Looks after which a process takes longer than usual to stop. */
  private static final int SOON = 16;

  /**
   * Freezes the cgroup and those below it.
   *
   * @throws SocketTimeoutException if a task cannot be frozen in time; the cgroup is thawed then
   */
  public void freeze(Duration within) throws IOException {
    beginToFreeze();
    try {
      awaitFrozen(within);
    } catch (IOException e) {
      thaw();
      throw e;
    }
  }

  private void beginToFreeze() throws IOException {
    SysFiles.write(cgroup + "/cgroup.freeze", "1");
  }

  private void awaitFrozen(Duration within) throws IOException {
    if (!awaitEvent("frozen 1", within)) {
      throw new SocketTimeoutException(
          cgroup + " did not freeze within " + within + "; a task in it does not sleep");
    }
  }

  /**
   * Waits until no process is left in it, nor below.
   *
   * @return false if one still is
   */
  public boolean awaitEmpty(Duration within) throws IOException {
    return awaitEvent("populated 0", within);
  }

  private boolean awaitEvent(String event, Duration within) throws IOException {
    long deadline = System.nanoTime() + within.toNanos();
    while (true) {
      try (Fd events = Fd.open(cgroup + "/cgroup.events", Linux.O_RDONLY())) {
        if (content(events).contains(event)) {
          return true;
        }
        // Changes since this descriptor was read make it ready.
        Duration left = Duration.ofNanos(deadline - System.nanoTime());
        if (left.isNegative() || events.poll(Linux.POLLPRI(), left) == 0) {
          return false;
        }
      }
    }
  }

  /** Lets the cgroup run again, where it is frozen. */
  public void thaw() throws IOException {
    SysFiles.write(cgroup + "/cgroup.freeze", "0");
  }

  /** How far a process is on its way to a stop. */
  public enum Progress {
    /** All its threads have stopped. */
    STOPPED,
    /** One has not. */
    RUNNING,
    /** It has other threads than were known. */
    UNKNOWN
  }

  /** Knows a process and its threads, and so sees sooner whether all have stopped. */
  public interface Watch {
    /** Of the process. */
    int pid();

    /** Signals it to stop; false if it has ended. */
    boolean stop() throws IOException;

    /** Looks once. */
    Progress look() throws IOException;
  }

  /**
   * Stops every process of the cgroup, all at once: none runs between the first's stop and the
   * last's, and none is created in between. Returns when all are stopped.
   *
   * @return the processes that were stopped
   * @throws SocketTimeoutException if one does not stop in time; all of them run again then
   */
  public ProcessTree stop(Duration within) throws IOException {
    return stop(within, Optional.empty());
  }

  /**
   * As {@link #stop(Duration)}, sooner where there is but one process, and that is known.
   *
   * @param known of the only process that was there lately; empty if there were others
   */
  public ProcessTree stop(Duration within, Optional<Watch> known) throws IOException {
    long deadline = System.nanoTime() + within.toNanos();
    try {
      if (known.isPresent() && stops(known.get(), deadline)) {
        ProcessTree tree = ProcessTree.of(cgroup);
        if (tree.processes().size() == 1
            && tree.processes().getFirst().pid() == known.get().pid()) {
          return tree;
        }
      }
      List<ServiceProcess> alone = ProcessTree.of(cgroup).processes();
      if (alone.size() == 1 && Processes.killIfThere(alone.getFirst().pid(), Linux.SIGSTOP())) {
        // There is no other to be stopped at once with it, unless it gives birth before it stops.
        awaitStopped(alone.getFirst().pid(), deadline);
        ProcessTree tree = ProcessTree.of(cgroup);
        if (tree.processes().size() == 1) {
          return tree;
        }
      }
      return stopTogether(List.of(this), deadline);
    } catch (IOException e) {
      resume(List.of(this), e);
      throw e;
    }
  }

  /**
   * Stops every process of several cgroups, likewise: all at once.
   *
   * @param cgroups none below another
   */
  public static ProcessTree stop(List<CgroupFreezer> cgroups, Duration within) throws IOException {
    try {
      return stopTogether(cgroups, System.nanoTime() + within.toNanos());
    } catch (IOException e) {
      resume(cgroups, e);
      throw e;
    }
  }

  private static void resume(List<CgroupFreezer> cgroups, IOException reason) {
    for (CgroupFreezer one : cgroups) {
      try {
        one.resume();
      } catch (IOException stopped) {
        reason.addSuppressed(stopped);
      }
    }
  }

  /** False if more has to be known of it. */
  private static boolean stops(Watch known, long deadline) throws IOException {
    if (!known.stop()) {
      return false;
    }
    Progress progress = known.look();
    for (int looks = 1; progress == Progress.RUNNING && System.nanoTime() - deadline < 0; looks++) {
      // To sleep for that little would take longer than the first looks.
      if (looks > SOON) {
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
      }
      progress = known.look();
    }
    return progress == Progress.STOPPED;
  }

  private static ProcessTree stopTogether(List<CgroupFreezer> cgroups, long deadline)
      throws IOException {
    var processes = new ArrayList<ServiceProcess>();
    try {
      for (CgroupFreezer one : cgroups) {
        one.beginToFreeze();
      }
      for (CgroupFreezer one : cgroups) {
        one.awaitFrozen(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        processes.addAll(ProcessTree.of(one.cgroup).processes());
      }
      for (ServiceProcess process : processes) {
        var _ = Processes.killIfThere(process.pid(), Linux.SIGSTOP());
      }
    } finally {
      thaw(cgroups);
    }
    for (ServiceProcess process : processes) {
      awaitStopped(process.pid(), deadline);
    }
    return new ProcessTree(processes);
  }

  /** All of them, even if one fails. */
  private static void thaw(List<CgroupFreezer> cgroups) throws IOException {
    IOException failure = null;
    for (CgroupFreezer one : cgroups) {
      try {
        one.thaw();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Each thread takes the signal as soon as it is on a CPU again, within microseconds. The kernel
   * tells only a parent, and only when the last one has, so look: once more when all have that were
   * there, for one of them may have made another before.
   */
  private static void awaitStopped(int pid, long deadline) throws IOException {
    var stopped = new HashSet<String>();
    while (true) {
      String[] threads = new File("/proc/" + pid + "/task").list();
      if (threads == null || stopped.containsAll(List.of(threads))) {
        return;
      }
      for (String thread : threads) {
        awaitStopped(pid, thread, deadline);
        stopped.add(thread);
      }
    }
  }

  private static void awaitStopped(int pid, String thread, long deadline) throws IOException {
    while (runs(pid, thread)) {
      if (System.nanoTime() - deadline > 0) {
        throw new SocketTimeoutException("thread " + thread + " of " + pid + " does not stop");
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  private static boolean runs(int pid, String thread) throws IOException {
    Optional<ServiceProcess> now =
        ProcessTree.readIfThere("/proc/" + pid + "/task/" + thread + "/stat");
    if (now.isEmpty()) {
      return false;
    }
    return switch (now.get().state()) {
      case 'T', 't', 'Z', 'X' -> false;
      default -> true;
    };
  }

  /** Lets processes run that {@link #stop} stopped, or that were restored stopped. */
  public void resume() throws IOException {
    for (ServiceProcess process : ProcessTree.of(cgroup).processes()) {
      // One that runs already may have ended another.
      var _ = Processes.killIfThere(process.pid(), Linux.SIGCONT());
    }
  }

  /** Ends every process of the cgroup, stopped or not. */
  public void kill() throws IOException {
    Path all = cgroup.resolve("cgroup.kill");
    if (Files.exists(all)) {
      SysFiles.write(all.toString(), "1");
      return;
    }
    killOneByOne();
  }

  /**
   * For kernels before 5.14. Frozen, none of them gives birth to another; SIGKILL ends them all.
   */
  void killOneByOne() throws IOException {
    freeze(LONG_ENOUGH_TO_FREEZE);
    try {
      for (ServiceProcess process : ProcessTree.of(cgroup).processes()) {
        Processes.kill(process.pid(), Linux.SIGKILL());
      }
    } finally {
      thaw();
    }
  }

  /** Moves a process, with its threads, into the cgroup. */
  public void adopt(int pid) throws IOException {
    SysFiles.write(cgroup + "/cgroup.procs", Integer.toString(pid));
  }

  private static String content(Fd file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(256);
      int length = file.read(buffer);
      byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      return new String(bytes, StandardCharsets.US_ASCII);
    }
  }
}
