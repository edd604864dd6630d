package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryShape.Kind;
import io.twinkernel.broker.prestage.MemoryShape.Part;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How two layouts of memory differ, range by range, as what to do about it. Ranges that adjoin each
 * other and are treated alike are one.
 */
final class ReshapingPlan {
  /** What to do with a range. */
  enum Action {
    /** Nothing is to be there. */
    UNMAP,
    /** Nothing is there. */
    MAP,
    /** What is there is a file's and is not to be. */
    REPLACE,
    /** Other permissions. */
    PROTECT,
    /** Likewise, of what nobody could touch: what it holds has not been followed. */
    OPEN
  }

  /**
   * What to do.
   *
   * @param protection PROT_* that it is to have; 0 if it goes
   */
  record Step(Action action, long start, long end, int protection) {
    @Override
    public String toString() {
      return action + " " + new Part(start, end, protection, Kind.ANONYMOUS);
    }
  }

  private final List<Part> had;
  private final List<Part> wanted;
  private final List<Step> steps = new ArrayList<>();

  /** Up to there it has been compared; from there to the next range neither has anything. */
  private long done;

  private ReshapingPlan(List<Part> had, List<Part> wanted) {
    this.had = had;
    this.wanted = wanted;
  }

  /**
   * Compares.
   *
   * @return what to do, by address; empty if the layouts are the same
   * @throws IOException if it cannot be done
   */
  static List<Step> of(MemoryShape had, MemoryShape wanted) throws IOException {
    var plan = new ReshapingPlan(had.parts(), wanted.parts());
    plan.compare();
    return plan.steps;
  }

  private void compare() throws IOException {
    int i = 0;
    int j = 0;
    while (i < had.size() || j < wanted.size()) {
      Part have = i < had.size() ? had.get(i) : null;
      Part want = j < wanted.size() ? wanted.get(j) : null;
      long start = Math.max(done, Math.min(start(have), start(want)));
      long end = Math.min(boundary(have, start), boundary(want, start));
      step(start, end, covering(have, start), covering(want, start));
      done = end;
      i += have != null && have.end() == end ? 1 : 0;
      j += want != null && want.end() == end ? 1 : 0;
    }
  }

  private static long start(@Nullable Part part) {
    return part == null ? Long.MAX_VALUE : part.start();
  }

  /** The next address from which on a part is there or no longer there. */
  private static long boundary(@Nullable Part part, long from) {
    if (part == null) {
      return Long.MAX_VALUE;
    }
    return part.start() > from ? part.start() : part.end();
  }

  private static @Nullable Part covering(@Nullable Part part, long address) {
    return part != null && part.start() <= address ? part : null;
  }

  private void step(long start, long end, @Nullable Part have, @Nullable Part want)
      throws IOException {
    if (is(have, Kind.KERNELS) || is(want, Kind.KERNELS)) {
      // Each kernel has its own, at places of its own; what the copy has of the other kernel's, at
      // the places of that one, is no concern of this one.
      if (want != null && want.kind() != Kind.KERNELS) {
        throw conflict(start, end, "the kernel's own is", want);
      }
    } else if (want == null) {
      add(Action.UNMAP, start, end, 0);
    } else if (have == null) {
      if (!want.kind().anonymous()) {
        throw conflict(start, end, "nothing is", want);
      }
      add(Action.MAP, start, end, want.protection());
    } else if (want.kind().anonymous() != have.kind().anonymous()) {
      if (!want.kind().anonymous()) {
        throw conflict(start, end, "memory of no file is", want);
      }
      add(Action.REPLACE, start, end, want.protection());
    } else if (want.protection() != have.protection()) {
      Action action = have.protection() == 0 ? Action.OPEN : Action.PROTECT;
      add(action, start, end, want.protection());
    }
  }

  private static boolean is(@Nullable Part part, Kind kind) {
    return part != null && part.kind() == kind;
  }

  private static IOException conflict(long start, long end, String what, Part want) {
    return new IOException(
        "at %x-%x %s in the copy, where %s is wanted".formatted(start, end, what, want));
  }

  private void add(Action action, long start, long end, int protection) {
    if (!steps.isEmpty()) {
      Step last = steps.getLast();
      // To unmap nothing, too, costs nothing.
      boolean adjoins = last.end() == start || (action == Action.UNMAP && last.end() == done);
      if (adjoins && last.action() == action && last.protection() == protection) {
        steps.removeLast();
        steps.add(new Step(action, last.start(), end, protection));
        return;
      }
    }
    steps.add(new Step(action, start, end, protection));
  }
}
