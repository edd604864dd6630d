package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The threads of a process of which a copy waits: which have come and gone since. */
final class FollowedThreads {
  /** So often is looked again, while others come. */
  private static final int MOST_LOOKS = 5;

  private final int pid;
  private final @Nullable SyscallWatch watch;

  /** Those that the copy has. */
  private volatile List<Integer> told;

  /** Those that the process had when it was looked at last. */
  private volatile List<Integer> now;

  /** What threads have that the copy's do not have yet. */
  private final Map<Integer, ThreadAttributes> news = new ConcurrentSkipListMap<>();

  /**
   * @param threads those that the process and its copy have
   * @param watch what sees them come; null for a process that is not watched
   */
  FollowedThreads(int pid, List<Integer> threads, @Nullable SyscallWatch watch) {
    this.pid = pid;
    this.watch = watch;
    this.told = threads;
    this.now = threads;
  }

  /** Those that the process had when it was looked at last. */
  List<Integer> now() {
    return now;
  }

  /** Whether it has others by now, or they have set what the copy's have otherwise. */
  boolean differ() throws IOException {
    return areUntold() || !touched().isEmpty() || !now.equals(SourceProcess.threads(pid));
  }

  /**
   * Those of {@link #now} that have set such since the last {@link #follow}, as far as calls were
   * looked at.
   */
  Set<Integer> touched() {
    if (watch == null) {
      return Set.of();
    }
    var touched = new HashSet<Integer>(watch.touched());
    touched.retainAll(now);
    return touched;
  }

  /** Whether {@link #tell} has something to tell. */
  boolean areUntold() {
    return !news.isEmpty() || !told.equals(now);
  }

  /**
   * Looks which there are, and asks for what the copy's are to have: those that have come stand
   * still for it, one after the other, if they are not stopped.
   *
   * @param stopped whether they are, and {@link SyscallWatch#recordAdded} is called before they go
   *     on
   * @throws Unstageable if they come and go faster than they can be asked, or the copy cannot have
   *     such ones
   */
  void follow(boolean stopped) throws IOException {
    if (stopped && watch != null && !watch.hasOtherThreads() && touched().isEmpty()) {
      return;
    }
    if (watch != null) {
      watch.passOverThreads(Set.of());
    }
    List<Integer> are = SourceProcess.threads(pid);
    for (int looks = 0; !touched().isEmpty() || !are.equals(now); looks++) {
      if (looks == MOST_LOOKS) {
        if (!stopped) {
          // The rest when they are.
          if (watch != null) {
            watch.suspect(Set.of());
          }
          return;
        }
        throw Unstageable.now("its threads come and go: they are " + are);
      }
      ask(are, stopped);
      are = SourceProcess.threads(pid);
    }
  }

  private void ask(List<Integer> are, boolean stopped) throws IOException {
    Set<Integer> touched = touched();
    var come = new ArrayList<Integer>(are);
    come.removeAll(now);
    if (watch != null) {
      watch.add(come);
      if (!stopped) {
        watch.recordAdded();
      }
    }
    var asked = new HashSet<Integer>(touched);
    asked.addAll(come);
    if (watch != null) {
      watch.passOverThreads(asked);
    }
    asked.retainAll(are);
    try {
      now = asked.isEmpty() ? are : asked(are, read(asked, stopped), come);
    } catch (IOException e) {
      if (watch != null) {
        watch.suspect(asked);
      }
      throw e;
    } finally {
      // Not what those said that may have gone by the next look.
      news.keySet().retainAll(now);
    }
  }

  /** Without those that have come, and gone before they said what they are. */
  private static List<Integer> asked(
      List<Integer> are, Set<Integer> said, Collection<Integer> come) {
    var asked = new ArrayList<Integer>(are);
    asked.removeIf(thread -> come.contains(thread) && !said.contains(thread));
    return List.copyOf(asked);
  }

  /** Returns those that have not ended before. */
  private Set<Integer> read(Collection<Integer> asked, boolean stopped) throws IOException {
    var said = new HashSet<Integer>();
    long instruction = Vdso.systemCall(pid, MemoryMap.read(pid).areas());
    // What it traces is let go of at its end.
    try (var tracer = new TracerThread()) {
      for (int thread : asked) {
        try {
          ForkSnapshot.requireRights(pid, thread);
          news.put(thread, tracer.call(() -> KernelAttributes.ask(pid, thread, instruction)));
          said.add(thread);
          if (stopped) {
            // It is on its way to where it was.
            Canary.awaitStopped(thread);
          }
        } catch (SyscallException | FileSystemException | Unstageable e) {
          if (SourceProcess.threads(pid).contains(thread)) {
            // It may be about to end, or within what it will have left.
            throw Unstageable.now(String.valueOf(e.getMessage()));
          }
        }
      }
    }
    return said;
  }

  /**
   * Which the copy has and the process no more, which it has not either from here on; empty if
   * there are none. It is to know before it gets the process's memory: the kernel looks into that
   * of a thread that ends, too.
   */
  Optional<ThreadChanges> tellEnded() {
    var ended = new ArrayList<Integer>(told);
    ended.removeAll(now);
    if (ended.isEmpty()) {
      return Optional.empty();
    }
    var left = new ArrayList<Integer>(told);
    left.removeAll(ended);
    told = List.copyOf(left);
    return Optional.of(new ThreadChanges(pid, ended, List.of(), List.of()));
  }

  /** What the copy is to become, which it is from here on; empty if it is that. */
  Optional<ThreadChanges> tell() {
    if (!areUntold()) {
      return Optional.empty();
    }
    var ended = new ArrayList<Integer>(told);
    ended.removeAll(now);
    var begun = new ArrayList<ThreadAttributes>();
    var others = new ArrayList<ThreadAttributes>();
    for (ThreadAttributes one : news.values()) {
      (told.contains(one.thread()) ? others : begun).add(one);
    }
    told = now;
    news.clear();
    return Optional.of(new ThreadChanges(pid, ended, begun, others));
  }
}
