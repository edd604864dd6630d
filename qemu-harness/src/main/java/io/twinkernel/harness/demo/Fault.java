package io.twinkernel.harness.demo;

/** What a run lets go wrong on purpose. The brokers do it; see the plan command's arguments. */
public enum Fault {
  /** Kernel B starts and never says anything. */
  TWIN_HANGS("twin-hangs"),
  /** Kernel B cannot bring the processes back to life. */
  RESTORE_FAILS("restore-fails");

  private final String label;

  Fault(String label) {
    this.label = label;
  }

  /** As options, plans and reports name it. */
  public String label() {
    return label;
  }

  @Override
  public String toString() {
    return label;
  }
}
