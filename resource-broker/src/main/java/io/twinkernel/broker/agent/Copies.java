package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What B has of the processes before the switch: copies that wait there, or, of a service for which
 * that cannot be, its memory alone, for a full dump.
 */
final class Copies {
  /** A service that changes its shape more often than this goes over by a full dump. */
  private static final int MOST_ATTEMPTS = 4;

  private final Prestaging prestaging;
  private final ProcessCopy memory;
  private int attempts;

  Copies(Prestaging prestaging, ProcessCopy memory) {
    this.prestaging = prestaging;
    this.memory = memory;
  }

  /**
   * Has the processes wait in B, and copies their memory in rounds.
   *
   * @return what each round sent
   */
  List<ProcessCopy.Round> make() throws IOException, InterruptedException {
    if (attempts++ < MOST_ATTEMPTS) {
      try {
        Optional<String> obstacle = prestaging.stageRunning();
        if (obstacle.isEmpty()) {
          return refresh();
        }
        KernelLog.say("the processes stop to be dumped: " + obstacle.get());
        memory.restart();
        var rounds = new ArrayList<>(memory.precopy());
        prestaging.stage();
        rounds.addAll(refresh());
        return List.copyOf(rounds);
      } catch (Unstageable | SyscallException e) {
        KernelLog.say("no copy can wait in B: " + e.getMessage());
      }
    }
    memory.restart();
    return memory.precopy();
  }

  /** Leaves as little as possible for the gap. */
  List<ProcessCopy.Round> refresh() throws IOException, InterruptedException {
    if (!prestaging.ready()) {
      return List.of();
    }
    try {
      return prestaging.refresh();
    } catch (Unstageable e) {
      return anew(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Copies again, after a process became another than the one that waits in B. All of them run.
   *
   * @param why what it is that changed
   */
  List<ProcessCopy.Round> anew(String why) throws IOException, InterruptedException {
    KernelLog.say("the copies in B are made anew: " + why);
    prestaging.unstage();
    memory.restart();
    return make();
  }
}
