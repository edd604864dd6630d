package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.CriuException;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What B has of the processes before the switch: copies that wait there, or, of a tree for which
 * that cannot be, its memory alone, for a full dump.
 */
final class Copies {
  /** A tree that changes its shape more often than this goes over by a full dump. */
  private static final int MOST_ATTEMPTS = 6;

  /** Nor is there an end where new trees keep coming. */
  private static final int MOST_NEWCOMERS = 6;

  private final Service service;
  private final CopyMaker maker;
  private final Prestaging prestaging;
  private final ProcessCopy memory;

  private final Check policy;

  /** Roots that {@link #policy} has been asked about. */
  private final Set<Integer> known = new HashSet<>();

  private int newcomers;

  /** Whether all that moves may. */
  @FunctionalInterface
  interface Check {
    /**
     * Asks.
     *
     * @throws BrokerException naming what may not
     */
    void run() throws IOException, BrokerException;
  }

  /** How often copies of a tree were made, by its root. */
  private final Map<Integer, Integer> attempts = new HashMap<>();

  /** Why the last copies of a tree were given up, by its root. */
  private final Map<Integer, String> reasons = new HashMap<>();

  /** Why no copies of a tree wait, by its root. */
  private final Map<Integer, String> obstacles = new LinkedHashMap<>();

  /** Why a tree had to stop to be dumped for the copies that wait, by its root. */
  private final Map<Integer, String> stopped = new LinkedHashMap<>();

  /**
   * @param known roots of the trees that the policy has been asked about
   * @param policy asks it again
   */
  Copies(
      Service service,
      CopyMaker maker,
      Prestaging prestaging,
      ProcessCopy memory,
      List<Integer> known,
      Check policy) {
    this.policy = policy;
    this.known.addAll(known);
    this.service = service;
    this.maker = maker;
    this.prestaging = prestaging;
    this.memory = memory;
  }

  /**
   * Has the processes wait in B, and copies their memory in rounds.
   *
   * @return what each round sent
   */
  List<ProcessCopy.Round> make() throws IOException, InterruptedException, BrokerException {
    var rounds = new ArrayList<ProcessCopy.Round>();
    if (attempts.isEmpty()) {
      memory.rehearse();
    }
    Optional<Change> change;
    do {
      var others = new ArrayList<Integer>();
      List<Integer> roots = service.roots();
      admit(roots);
      obstacles.keySet().retainAll(roots);
      for (int root : roots) {
        if (!prestaging.holds(root) && !stage(root, rounds)) {
          others.add(root);
        }
      }
      prestaging.expect(others);
      change = refreshOnce(rounds);
      if (change.isEmpty()) {
        memory.restart();
        if (!others.isEmpty()) {
          rounds.addAll(memory.precopy(others));
          change = refreshOnce(rounds);
        }
      }
    } while (change.isPresent());
    return List.copyOf(rounds);
  }

  /**
   * Trees that have come since may share with others what only one tree can have.
   *
   * @throws BrokerException what that is
   */
  private void admit(List<Integer> roots) throws IOException, BrokerException {
    if (!known.containsAll(roots)) {
      if (++newcomers > MOST_NEWCOMERS) {
        throw new IOException("process after process comes into the service's cgroups: " + roots);
      }
      policy.run();
      known.addAll(roots);
    }
  }

  /** For how long the processes stood still for it; see {@link CopyMaker#stops}. */
  Map<String, Double> stops() {
    return maker.stops();
  }

  /** Why no copies of a tree wait in B, by the PID of its root: it goes over by a full dump. */
  Map<Integer, String> obstacles() {
    return Collections.unmodifiableMap(obstacles);
  }

  /** Why trees of which copies wait in B stood still until they were dumped, likewise. */
  Map<Integer, String> stopped() {
    return Collections.unmodifiableMap(stopped);
  }

  /** Has one tree wait in B; false if that cannot be. */
  private boolean stage(int root, List<ProcessCopy.Round> rounds)
      throws IOException, InterruptedException {
    if (attempts.merge(root, 1, Integer::sum) > MOST_ATTEMPTS) {
      return false;
    }
    obstacles.remove(root);
    String tree = "the tree of process " + root;
    String running;
    try {
      prestaging.add(root, maker.ofRunning(root));
      stopped.remove(root);
      return true;
    } catch (Unstageable e) {
      running = String.valueOf(e.getMessage());
    }
    try {
      maker.requireStageable(root);
      KernelLog.say(tree + " stops to be dumped: " + running);
      memory.restart();
      rounds.addAll(memory.precopy(List.of(root)));
      prestaging.add(root, maker.ofStopped(root));
      stopped.put(root, running);
      return true;
    } catch (Unstageable | CriuException | SyscallException | FileSystemException e) {
      String why = String.valueOf(e.getMessage());
      KernelLog.say("no copy of " + tree + " can wait in B: " + why);
      obstacles.put(root, why.equals(running) ? why : running + "; stopped instead: " + why);
      return false;
    }
  }

  /** Leaves as little as possible for the gap. */
  List<ProcessCopy.Round> refresh() throws IOException, InterruptedException, BrokerException {
    var rounds = new ArrayList<ProcessCopy.Round>();
    return refreshOnce(rounds).isEmpty() ? List.copyOf(rounds) : make();
  }

  /** What is not so any more is given up. */
  private Optional<Change> refreshOnce(List<ProcessCopy.Round> rounds)
      throws IOException, InterruptedException {
    if (!prestaging.ready()) {
      return Optional.empty();
    }
    Optional<Change> change = prestaging.refresh(rounds);
    if (change.isEmpty()) {
      change = unusable();
    }
    if (change.isPresent()) {
      giveUp(change.get());
    }
    return change;
  }

  private Optional<Change> unusable() throws IOException, InterruptedException {
    Optional<Map.Entry<Integer, String>> failed = maker.unusable();
    if (failed.isEmpty()) {
      return Optional.empty();
    }
    int pid = failed.get().getKey();
    String why = "the copy of process " + pid + " failed: " + failed.get().getValue();
    int root = prestaging.root(pid);
    if (root == 0) {
      throw new IOException(why);
    }
    return Optional.of(new Change(root, why, false));
  }

  private void giveUp(Change change) throws IOException, InterruptedException {
    KernelLog.say("the copies in B are made anew: " + change.why());
    List<SourceProcess> given = prestaging.remove(change.root());
    if (!given.isEmpty()) {
      maker.giveUp(given);
    }
    if (change.root() != 0) {
      obstacles.put(change.root(), change.why());
      if (change.why().equals(reasons.put(change.root(), change.why()))) {
        // Another copy would not be otherwise, either.
        attempts.put(change.root(), MOST_ATTEMPTS);
      }
    }
    stopped.remove(change.root());
  }

  /**
   * Copies again, after a process became another than the one that waits in B. All of them run.
   *
   * @param change what it is
   */
  void anew(Change change) throws IOException, InterruptedException, BrokerException {
    giveUp(change);
    make();
  }
}
