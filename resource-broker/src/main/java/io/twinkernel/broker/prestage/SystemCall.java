package io.twinkernel.broker.prestage;

import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A system call that a thread has begun.
 *
 * @param caller the thread's number
 * @param number __NR_*
 * @param first its arguments, of which more do not matter
 */
record SystemCall(int caller, int number, long first, long second, long third, long fourth) {
  /**
   * Whether both are the same call, whoever makes it, as far as its first three arguments say so.
   */
  boolean isLike(SystemCall other) {
    return number == other.number
        && first == other.first
        && second == other.second
        && third == other.third;
  }

  @Override
  public String toString() {
    return LongStream.of(first, second, third, fourth)
        .mapToObj(Long::toHexString)
        .collect(Collectors.joining(", ", "system call " + number + " (", ")"));
  }
}
