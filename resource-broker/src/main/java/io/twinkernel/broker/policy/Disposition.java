package io.twinkernel.broker.policy;

/** What becomes of a process in an upgrade. */
public enum Disposition {
  /** It goes over with its memory, descriptors and connections. */
  MOVE,
  /** It ends with the first kernel; a command starts it anew in the second one. */
  RESTART,
  /** It ends with the first kernel. */
  STAY
}
