package io.twinkernel.broker.process;

/**
 * Which clocks CRIU has, and with it what it restores. A process that it dumps without taking its
 * clocks along must have the same.
 */
public sealed interface CriuClocks {
  /** This kernel's. */
  record Kernel() implements CriuClocks {}

  /**
   * Those of another kernel, in a time namespace of its own.
   *
   * @param offsets what they are ahead of this kernel's
   */
  record Shifted(ClockOffsets offsets) implements CriuClocks {}

  /**
   * Those of a process.
   *
   * @param pid its number; it may end once CRIU has started
   */
  record Of(int pid) implements CriuClocks {}
}
