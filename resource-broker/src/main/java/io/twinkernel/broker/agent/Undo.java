package io.twinkernel.broker.agent;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** What has to be done, last first, to bring the machine back to where an upgrade began. */
final class Undo {
  /** One step back. */
  @FunctionalInterface
  interface Step {
    void undo() throws IOException;
  }

  private record Named(String name, Step step) {}

  private final Deque<Named> steps = new ArrayDeque<>();

  synchronized void push(String name, Step step) {
    steps.push(new Named(name, step));
  }

  /**
   * Undoes everything; a step that fails does not keep the others from being tried.
   *
   * @return what failed, empty if all went well
   */
  synchronized List<String> all() {
    var failures = new ArrayList<String>();
    while (!steps.isEmpty()) {
      Named next = steps.pop();
      try {
        next.step.undo();
      } catch (IOException e) {
        failures.add(next.name + ": " + e.getMessage());
      }
    }
    return List.copyOf(failures);
  }

  /** Past the commit there is no way back. */
  synchronized void forget() {
    steps.clear();
  }
}
