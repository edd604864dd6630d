package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.DiskFile;
import io.twinkernel.broker.prestage.HalfClosed;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.CriuException;
import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.ImageFindings;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Has copies made in B of the processes of a tree, and follows what these become. */
final class CopyMaker {
  private final Peer peer;
  private final Service service;
  private final ProcessCopy copy;
  private final String disk;
  private final HalfClosed halves;
  private final Duration deadline;
  private final Map<String, Double> stops = new LinkedHashMap<>();

  /**
   * @param disk where the disk is mounted that goes over at the switch; empty for none
   * @param halves which connections that are half closed B can have
   * @param deadline how long B may take to restore the copies
   */
  CopyMaker(
      Peer peer,
      Service service,
      ProcessCopy copy,
      String disk,
      HalfClosed halves,
      Duration deadline) {
    this.peer = peer;
    this.service = service;
    this.copy = copy;
    this.disk = disk;
    this.halves = halves;
    this.deadline = deadline;
  }

  /**
   * How long each step took for which processes or threads stood still, in ms: of those that took
   * longer, if there are several trees.
   */
  Map<String, Double> stops() {
    return Collections.unmodifiableMap(stops);
  }

  private void stoodStill(Map<String, Double> millis) {
    millis.forEach((step, time) -> stops.merge(step, time, Math::max));
  }

  /**
   * Of processes that run on: CRIU dumps forks of them.
   *
   * @param root of the tree
   * @return the processes, a parent before its children
   * @throws Unstageable why it cannot be, and is not
   */
  List<SourceProcess> ofRunning(int root) throws IOException, InterruptedException {
    for (int looks = 1; true; looks++) {
      try {
        return ofRunningNow(root);
      } catch (Unstageable e) {
        if (!e.passes() || looks == Prestaging.MOST_LOOKS) {
          throw e;
        }
      } catch (SyscallException | FileSystemException e) {
        // A process may have ended while it was looked at.
        if (looks == Prestaging.MOST_LOOKS) {
          throw unstageable(e);
        }
      } catch (CriuException e) {
        // What it cannot do to a fork it may be able to do to the process.
        throw unstageable(e);
      }
    }
  }

  private static Unstageable unstageable(IOException reason) {
    var unstageable =
        new Unstageable(reason.getClass().getSimpleName() + ": " + reason.getMessage());
    unstageable.initCause(reason);
    return unstageable;
  }

  private List<SourceProcess> ofRunningNow(int root) throws IOException, InterruptedException {
    var followed = new ArrayList<SourceProcess>();
    try {
      List<ForkedProcess> forks = fork(root, followed);
      var growing = new HashSet<String>();
      for (SourceProcess process : followed) {
        process.diskFiles(List.of()).forEach(file -> growing.add(file.path()));
      }
      Path folder = copy.dumpForks(forks, growing);
      var holds = new ArrayList<Map<String, Object>>();
      for (SourceProcess process : followed) {
        process.endFork();
        holds.add(hold(process, process.states(), followed));
      }
      send(root, folder, holds);
      return followed;
    } catch (IOException | InterruptedException | RuntimeException e) {
      close(followed);
      throw e;
    }
  }

  /**
   * @param followed receives each process that is forked
   */
  private List<ForkedProcess> fork(int root, List<SourceProcess> followed) throws IOException {
    List<ServiceProcess> tree = service.processes().below(root);
    Set<Integer> family = tree.stream().map(ServiceProcess::pid).collect(Collectors.toSet());
    var forks = new ArrayList<ForkedProcess>();
    for (ServiceProcess one : tree) {
      copy.requireClocks(one.pid());
      SourceProcess process = SourceProcess.fork(one.pid(), disk, family);
      followed.add(process);
      process.allow(halves);
      stoodStill(Map.of("fork", process.longestStop()));
      process.delay().ifPresent(why -> KernelLog.say("the stop for the fork is longer: " + why));
      ForkedProcess fork = process.forked().orElseThrow();
      if (tree.size() > 1 && fork.subreaper()) {
        throw new Unstageable("orphans below process " + one.pid() + " become its children");
      }
      forks.add(fork);
      requireApart(process, followed);
    }
    return forks;
  }

  /**
   * @throws Unstageable why {@link #ofStopped} would fail, as far as that can be seen ahead
   */
  void requireStageable(int root) throws IOException {
    close(follow(root));
  }

  /**
   * Of processes that stop for the dump, and run on.
   *
   * @param root of the tree
   * @return the processes
   * @throws IOException why there are no copies now; the processes run
   */
  List<SourceProcess> ofStopped(int root) throws IOException, InterruptedException {
    List<SourceProcess> followed = stopAsFollowed(root);
    try {
      var holds = new ArrayList<Map<String, Object>>();
      Path folder = dumpStopped(root, followed, holds);
      Optional<Integer> timed = ImageFindings.withIntervalTimer(folder);
      if (timed.isPresent()) {
        throw new Unstageable("process " + timed.get() + " has an interval timer");
      }
      send(root, folder, holds);
      return followed;
    } catch (IOException | InterruptedException | RuntimeException e) {
      close(followed);
      throw e;
    }
  }

  private Path dumpStopped(int root, List<SourceProcess> followed, List<Map<String, Object>> holds)
      throws IOException, InterruptedException {
    var stop = new Stopwatch();
    try {
      // CRIU calls a lot in the processes' name, and to tell of it takes long.
      for (SourceProcess process : followed) {
        process.pause();
      }
      stop.done("look");
      Path folder;
      var noting = new Background(() -> note(followed));
      try {
        folder = copy.dumpUnconnected(root);
      } finally {
        noting.settle();
      }
      noting.join();
      stop.done("dump");
      for (SourceProcess process : followed) {
        holds.add(hold(process, Map.of(), followed));
        process.begin();
      }
      stop.done("begin");
      return folder;
    } finally {
      resume(followed);
      stop.done("resume");
      stoodStill(stop.millis());
    }
  }

  private void resume(List<SourceProcess> followed) throws IOException {
    try {
      for (SourceProcess process : followed) {
        process.letGo();
      }
    } finally {
      service.resume();
    }
  }

  private static void note(List<SourceProcess> followed) throws IOException {
    for (SourceProcess process : followed) {
      process.note();
    }
  }

  /**
   * Stops the processes when they are what was seen of a tree while it ran. To look at all of it
   * while they stand still takes longer than clients are to wait.
   *
   * @throws Unstageable if it is never for long what it is
   */
  private List<SourceProcess> stopAsFollowed(int root) throws IOException {
    for (int looks = 1; looks < Prestaging.MOST_LOOKS; looks++) {
      List<SourceProcess> followed = follow(root);
      boolean same = false;
      try {
        same = isAsFollowed(followed, service.stop().below(root));
      } finally {
        if (!same) {
          service.resume();
          close(followed);
        }
      }
      if (same) {
        return followed;
      }
    }
    throw new Unstageable("its processes change from one moment to the next");
  }

  private List<SourceProcess> follow(int root) throws IOException {
    var followed = new ArrayList<SourceProcess>();
    try {
      for (ServiceProcess process : service.processes().below(root)) {
        copy.requireClocks(process.pid());
        followed.add(SourceProcess.follow(process.pid(), disk));
        followed.getLast().allow(halves);
        requireApart(followed.getLast(), followed);
      }
      List<Integer> tree = followed.stream().map(SourceProcess::pid).toList();
      for (SourceProcess process : followed) {
        if (!tree.containsAll(process.children())) {
          throw new Unstageable("a child of process " + process.pid() + " has ended, or just come");
        }
      }
      return followed;
    } catch (SyscallException | FileSystemException e) {
      close(followed);
      // One of them may have ended.
      throw unstageable(e);
    } catch (IOException | RuntimeException e) {
      close(followed);
      throw e;
    }
  }

  /**
   * Forks of processes that have one table of descriptors, say, would each have one of their own.
   */
  private static void requireApart(SourceProcess process, List<SourceProcess> others)
      throws IOException {
    for (SourceProcess other : others) {
      if (other == process) {
        continue;
      }
      String both = "processes " + other.pid() + " and " + process.pid();
      if (Processes.shareParts(other.pid(), process.pid())) {
        throw new Unstageable(both + " are in part one: clone(2)");
      }
    }
  }

  private static boolean isAsFollowed(List<SourceProcess> followed, List<ServiceProcess> now)
      throws IOException {
    if (!areThose(followed, now)) {
      return false;
    }
    for (SourceProcess process : followed) {
      // A signal that waits would wait in the copy, also when the process has long had it.
      if (process.restructured(Steps.UNTOLD).isPresent() || process.isSignalled()) {
        return false;
      }
      process.takeAsItIs();
    }
    return true;
  }

  /** Whether these are the processes that are followed, in whatever order. */
  static boolean areThose(List<SourceProcess> followed, List<ServiceProcess> now) {
    return followed.size() == now.size() && besides(followed, now).isEmpty();
  }

  /** Those that are not followed, by their numbers. */
  static List<Integer> besides(List<SourceProcess> followed, List<ServiceProcess> now) {
    var others = new ArrayList<Integer>();
    for (ServiceProcess one : now) {
      boolean known = false;
      for (SourceProcess process : followed) {
        known |= process.pid() == one.pid();
      }
      if (!known) {
        others.add(one.pid());
      }
    }
    return List.copyOf(others);
  }

  private static Map<String, Object> hold(
      SourceProcess process, Map<Integer, String> states, List<SourceProcess> tree)
      throws IOException {
    String directory = process.directory();
    return Map.of(
        "states",
        states.entrySet().stream()
            .map(one -> Map.of("descriptor", one.getKey(), "state", one.getValue()))
            .toList(),
        "pid",
        process.pid(),
        "threads",
        process.threads(),
        "connections",
        process.connections(),
        "offsets",
        process.files(),
        "disk_files",
        process.diskFiles(tree.subList(0, tree.indexOf(process))).stream()
            .map(DiskFile::toJson)
            .toList(),
        "disk_directory",
        directory,
        "disk_directory_mode",
        directory.isEmpty() ? 0 : (int) Files.getAttribute(Path.of(directory), "unix:mode"));
  }

  private void send(int root, Path folder, List<Map<String, Object>> holds)
      throws IOException, InterruptedException {
    copy.sendDump(root, folder);
    var images = Map.of(Integer.toString(root), copy.dumpName(root));
    copy.staged();
    for (Map<String, Object> hold : holds) {
      peer.send(FrameType.HOLD, hold);
    }
    peer.send(FrameType.PRESTAGE, Map.of(FrameType.IMAGES, images));
    var _ = await(FrameType.PRESTAGED, "staging");
  }

  /** Gives copies up, in B as well. */
  void giveUp(List<SourceProcess> followed) throws IOException, InterruptedException {
    close(followed);
    peer.send(
        FrameType.UNSTAGE, Map.of("processes", followed.stream().map(SourceProcess::pid).toList()));
    var _ = await(FrameType.UNSTAGED, "giving the copies up");
  }

  /**
   * Whether all copies have taken what was sent to them until now.
   *
   * @return the process of one that has not, and why; empty if all have
   */
  Optional<Map.Entry<Integer, String>> unusable() throws IOException, InterruptedException {
    peer.send(FrameType.ASK_COPIES, Map.of());
    Fields answer = await(FrameType.COPIES, "asking after the copies").json();
    for (Fields failure : answer.objects("failures")) {
      return Optional.of(Map.entry((int) failure.number("process"), failure.text("why")));
    }
    return Optional.empty();
  }

  /** Stops following processes; what waits in B is not touched. */
  static void close(List<SourceProcess> followed) throws IOException {
    IOException failure = null;
    for (SourceProcess process : followed) {
      try {
        process.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private Inbox.Message await(int type, String what) throws IOException, InterruptedException {
    Optional<Inbox.Message> answer = peer.inbox().poll(deadline.toNanos());
    if (answer.isEmpty()) {
      throw new IOException(what + ": B did not answer within " + deadline.toSeconds() + " s");
    }
    Inbox.Message message = answer.get();
    if (message.type() == FrameType.PRESTAGE_FAILED) {
      throw new Unstageable(what + ": " + Failure.fromJson(message.json()).why());
    }
    if (message.type() != type) {
      throw new IOException(what + ": B sent message " + message.type());
    }
    return message;
  }
}
