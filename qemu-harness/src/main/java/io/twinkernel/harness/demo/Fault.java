package io.twinkernel.harness.demo;

/**
 * What a run lets go wrong on purpose: some the brokers do themselves, as the plan's arguments ask
 * them to; others are done to the machine while both kernels run.
 */
public enum Fault {
  /** Kernel B starts and never says anything. */
  TWIN_HANGS("twin-hangs", Where.IN_THE_BROKERS, ""),
  /** Kernel B cannot bring the processes back to life. */
  RESTORE_FAILS("restore-fails", Where.IN_THE_BROKERS, ""),
  /** Kernel B panics before the pre-copy; a moment later, so that its shell still answers. */
  TWIN_PANICS("twin-panics", Where.ON_B, "sh -c '(sleep 1; echo c >/proc/sysrq-trigger) &'"),
  /** Kernel A's broker is killed beside a running B and starts anew. */
  BROKER_DIES("broker-dies", Where.ON_A, "kill -9 $(pidof java)");

  /** Who makes it happen. */
  enum Where {
    IN_THE_BROKERS,
    ON_A,
    ON_B
  }

  private final String label;
  private final Where where;
  private final String command;

  Fault(String label, Where where, String command) {
    this.label = label;
    this.where = where;
    this.command = command;
  }

  /** As options, plans and reports name it. */
  public String label() {
    return label;
  }

  Where where() {
    return where;
  }

  /** What does it, in the shell on that kernel's console; empty where the brokers do. */
  String command() {
    return command;
  }

  @Override
  public String toString() {
    return label;
  }
}
