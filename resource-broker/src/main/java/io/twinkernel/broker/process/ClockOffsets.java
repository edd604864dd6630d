package io.twinkernel.broker.process;

/**
 * What a process's clocks are ahead of its kernel's, in nanoseconds.
 *
 * @param monotonic of CLOCK_MONOTONIC
 * @param boottime of CLOCK_BOOTTIME
 */
public record ClockOffsets(long monotonic, long boottime) {}
