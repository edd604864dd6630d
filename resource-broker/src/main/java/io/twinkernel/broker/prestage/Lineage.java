package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which threads are a process's, of all that run: those that it had, and what they have made since.
 * Of what has ended by now nobody can say whether it was a thread or a process: where its parent
 * has made threads it is taken for one.
 */
final class Lineage {
  /** What a thread is to the process. */
  enum Kin {
    OWN,
    OTHER,
    /** None that is known has made it; or that has not been told yet. */
    STRANGER
  }

  /** Whose thread one is. */
  @FunctionalInterface
  interface Groups {
    /**
     * Asks.
     *
     * @return the number of its process; empty if it has ended
     */
    Optional<Integer> of(int thread) throws IOException;
  }

  private static final String GROUP = "\nTgid:\t";

  private final int pid;
  private final Groups groups;
  private final Set<Integer> own;
  private final Set<Integer> others = new HashSet<>();
  private final Map<Integer, Integer> parents = new HashMap<>();

  /** Those that have begun threads, or may have. */
  private final Set<Integer> beginners = new HashSet<>();

  /** Those that have executed a program: no thread of the process does, and lives on. */
  private final Set<Integer> executed = new HashSet<>();

  /** Whose parents were not known when they were told of: these may be told of on another CPU. */
  private List<Birth> unplaced = List.of();

  /**
   * @param threads that it has
   */
  Lineage(int pid, Collection<Integer> threads, Groups groups) {
    this.pid = pid;
    this.groups = groups;
    this.own = new HashSet<>(threads);
  }

  /** {@link Groups} of this kernel. */
  static Optional<Integer> group(int thread) throws IOException {
    Optional<String> status = SysFiles.readIfThere("/proc/" + thread + "/status");
    if (status.isEmpty()) {
      return Optional.empty();
    }
    int at = status.get().indexOf(GROUP) + GROUP.length();
    return Optional.of(Integer.parseInt(status.get(), at, status.get().indexOf('\n', at), 10));
  }

  /**
   * Takes note of births.
   *
   * @return those among them and among earlier ones whose parents are known from now on
   */
  List<Birth> born(List<Birth> births) {
    var open = new ArrayList<Birth>(unplaced);
    open.addAll(births);
    var placed = new ArrayList<Birth>();
    boolean more = true;
    while (more) {
      more = false;
      for (Birth birth : open) {
        if (isKnown(birth.parent()) && !placed.contains(birth)) {
          place(birth);
          placed.add(birth);
          more = true;
        }
      }
    }
    unplaced = new ArrayList<>(births);
    unplaced.removeAll(placed);
    return placed;
  }

  private boolean isKnown(int thread) {
    return own.contains(thread) || parents.containsKey(thread);
  }

  /** If there was one of that number before it has ended. */
  private void place(Birth birth) {
    int child = birth.child();
    own.remove(child);
    others.remove(child);
    beginners.remove(child);
    executed.remove(child);
    parents.put(child, birth.parent());
  }

  /** Some more are the process's. */
  void add(Collection<Integer> threads) {
    own.addAll(threads);
  }

  /** Whether one is known to be the process's. */
  boolean isOwn(int thread) {
    return own.contains(thread);
  }

  /** One is not the process's. */
  void addOther(int thread) {
    own.remove(thread);
    others.add(thread);
  }

  /** A thread has made a thread, or may have. */
  void begins(int thread) {
    beginners.add(thread);
  }

  /** A thread has executed a program. */
  void executes(int thread) {
    executed.add(thread);
  }

  /** Says what a thread is. */
  Kin kin(int thread) throws IOException {
    if (own.contains(thread)) {
      return Kin.OWN;
    }
    if (others.contains(thread)) {
      return Kin.OTHER;
    }
    Integer parent = parents.get(thread);
    if (parent == null) {
      return Kin.STRANGER;
    }
    Optional<Integer> group = groups.of(thread);
    boolean is =
        group.isPresent()
            ? group.get() == pid
            : beginners.contains(parent) && !executed.contains(thread) && kin(parent) == Kin.OWN;
    (is ? own : others).add(thread);
    return is ? Kin.OWN : Kin.OTHER;
  }

  /** Whether one is a thread of the process, and there. */
  boolean isThere(int thread) throws IOException {
    Optional<Integer> group = groups.of(thread);
    return group.isPresent() && group.get() == pid;
  }
}
