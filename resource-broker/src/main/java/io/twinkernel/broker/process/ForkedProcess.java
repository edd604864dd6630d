package io.twinkernel.broker.process;

import java.util.List;

/**
 * A stopped fork that stands for the process which it was forked from.
 *
 * @param fork its number
 * @param pid that of the process
 * @param parent the process's, if that moves, too; 0 for the root of a tree
 * @param group the process's group
 * @param session its session
 * @param subreaper whether orphans below the process become its children
 * @param threads of the process, its first thread first
 */
public record ForkedProcess(
    int fork,
    int pid,
    int parent,
    int group,
    int session,
    boolean subreaper,
    List<ThreadAttributes> threads) {

  /** Keeps the list from changing. */
  public ForkedProcess {
    threads = List.copyOf(threads);
    if (threads.isEmpty() || threads.getFirst().thread() != pid) {
      throw new IllegalArgumentException("the first thread of " + pid + " is not in " + threads);
    }
  }
}
