package io.twinkernel.broker.prestage;

import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A system call that a thread has begun.
 *
 * @param number __NR_*
 * @param first its arguments, of which more do not matter
 */
record SystemCall(int number, long first, long second, long third, long fourth) {
  /** Whether both are the same call, as far as its first three arguments say so. */
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
