package io.twinkernel.broker.process;

import java.util.Optional;

/**
 * What a thread has told the kernel and fork(2) does not pass on, or passes on of the forking
 * thread alone.
 *
 * @param thread its number
 * @param name as in {@code /proc/PID/comm}
 * @param clearTid where the kernel writes 0 when it ends (set_tid_address(2)); 0 for nowhere
 * @param stack on which it handles signals
 * @param robustList head of the list of its robust futexes (get_robust_list(2)); 0 for none
 * @param robustLength the head's size in bytes
 * @param parentDeathSignal that it gets when its parent ends; 0 for none
 * @param scheduling whether it passes it on is its choice
 * @param restartable its area for restartable sequences, rseq(2)
 */
public record ThreadAttributes(
    int thread,
    String name,
    long clearTid,
    SignalStack stack,
    long robustList,
    long robustLength,
    int parentDeathSignal,
    Scheduling scheduling,
    Optional<RestartableSequences> restartable) {

  /**
   * As in sigaltstack(2).
   *
   * @param flags SS_*
   */
  public record SignalStack(long address, long bytes, int flags) {}

  /**
   * As in sched(7).
   *
   * @param nice -20 to 19
   * @param policy SCHED_*
   * @param priority of a real-time policy; 0 in others
   */
  public record Scheduling(int nice, int policy, int priority) {}

  /**
   * As it was registered.
   *
   * @param signature that precedes abort handlers
   */
  public record RestartableSequences(long address, int bytes, int signature) {}
}
