package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/** Does the same with many things, on all CPUs that the program has. */
final class Parallel {
  /** Started before they are needed: to start one in the gap would cost more than it saves. */
  private static final ThreadPoolExecutor HELPERS = helpers();

  private Parallel() {}

  /** What is done with one thing. */
  @FunctionalInterface
  interface Action<T> {
    void run(T item) throws IOException;
  }

  /** What is made of one thing. */
  @FunctionalInterface
  interface Function<T, R> {
    R apply(T item) throws IOException;
  }

  private static ThreadPoolExecutor helpers() {
    var pool =
        (ThreadPoolExecutor)
            Executors.newFixedThreadPool(
                Math.max(1, Runtime.getRuntime().availableProcessors() - 1),
                GapThreads.named("parallel"));
    pool.prestartAllCoreThreads();
    return pool;
  }

  /**
   * Returns when nothing is done any more.
   *
   * @throws IOException one failure, if there were any; others of the things may be done or not
   */
  static <T> void forEach(List<T> items, Action<T> action) throws IOException {
    var next = new AtomicInteger();
    var helping = new ArrayList<Running<Boolean>>();
    int helpers = Math.min(Runtime.getRuntime().availableProcessors(), items.size()) - 1;
    for (int i = 0; i < helpers; i++) {
      helping.add(Running.on(HELPERS, () -> work(items, next, action)));
    }
    try {
      work(items, next, action);
    } finally {
      // A failure here comes before theirs; either way none is to go on unseen.
      next.set(items.size());
      for (Running<Boolean> helper : helping) {
        helper.settle();
      }
    }
    for (Running<Boolean> helper : helping) {
      helper.join();
    }
  }

  private static <T> boolean work(List<T> items, AtomicInteger next, Action<T> action)
      throws IOException {
    for (int i = next.getAndIncrement(); i < items.size(); i = next.getAndIncrement()) {
      action.run(items.get(i));
    }
    return true;
  }

  /** As {@link #forEach}; the results are in the order of the things. */
  static <T, R> List<R> map(List<T> items, Function<T, R> function) throws IOException {
    var results = new AtomicReferenceArray<R>(items.size());
    forEach(
        IntStream.range(0, items.size()).boxed().toList(),
        index -> results.set(index, function.apply(items.get(index))));
    var list = new ArrayList<R>(items.size());
    for (int i = 0; i < items.size(); i++) {
      list.add(results.get(i));
    }
    return List.copyOf(list);
  }
}
