package io.twinkernel.broker.agent;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;

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
   * Undoes everything; a step that fails does not keep the others from being tried. It runs on a
   * thread of its own, which nobody interrupts: a rollback interrupts the thread whose work it
   * undoes, be it late, and an interrupt closes the file that a step works with.
   *
   * @return what failed, empty if all went well
   */
  List<String> all() {
    return CompletableFuture.supplyAsync(this::unwind, Undo::start).join();
  }

  private static void start(Runnable unwinding) {
    Thread.ofPlatform().name("undo").start(unwinding);
  }

  private synchronized List<String> unwind() {
    var failures = new ArrayList<String>();
    while (!steps.isEmpty()) {
      Named next = steps.pop();
      try {
        next.step.undo();
      } catch (IOException | RuntimeException e) {
        String why = e.getMessage() == null ? e.toString() : e.getMessage();
        failures.add(next.name + ": " + why);
      }
    }
    return List.copyOf(failures);
  }

  /** Past the commit there is no way back. */
  synchronized void forget() {
    steps.clear();
  }
}
