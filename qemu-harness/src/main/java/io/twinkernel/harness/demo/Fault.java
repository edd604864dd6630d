package io.twinkernel.harness.demo;

import io.twinkernel.control.upgrade.UpgradeRequest;
import java.util.List;
import java.util.Optional;

/**
 * What a run lets go wrong on purpose: some the brokers do themselves, as the plan's arguments ask
 * them to; others are done to the machine while both kernels run.
 *
 * @param label as options, plans and reports name it
 * @param where who makes it happen
 * @param command what does it, in the shell on that kernel's console; empty where the brokers do
 */
public record Fault(String label, Where where, String command) {
  /** Kernel B starts and never says anything. */
  static final Fault TWIN_HANGS = inTheBrokers("twin-hangs");

  /** Kernel B cannot bring the processes back to life. */
  static final Fault RESTORE_FAILS = inTheBrokers("restore-fails");

  /** Kernel B panics before the pre-copy; a moment later, so that its shell still answers. */
  static final Fault TWIN_PANICS =
      new Fault("twin-panics", Where.ON_B, "sh -c '(sleep 1; echo c >/proc/sysrq-trigger) &'");

  /** Kernel A's broker is killed beside a running B and starts anew. */
  static final Fault BROKER_DIES = new Fault("broker-dies", Where.ON_A, "kill -9 $(pidof java)");

  private static final List<Fault> NAMED =
      List.of(TWIN_HANGS, RESTORE_FAILS, TWIN_PANICS, BROKER_DIES);

  /** Who makes it happen. */
  enum Where {
    IN_THE_BROKERS,
    ON_A,
    ON_B
  }

  private static Fault inTheBrokers(String label) {
    return new Fault(label, Where.IN_THE_BROKERS, "");
  }

  /** Whether it may also come after the commit: then the upgrade is to be completed. */
  boolean mayComeLate() {
    return label.startsWith("b-dies@");
  }

  /** Those that have a name. */
  static List<Fault> named() {
    return NAMED;
  }

  /**
   * The one of that label, which may be a broker's at a step of the switch; empty if there is none.
   */
  static Optional<Fault> of(String label) {
    return UpgradeRequest.isFault(label)
        ? Optional.of(inTheBrokers(label))
        : NAMED.stream().filter(fault -> fault.label.equals(label)).findFirst();
  }

  @Override
  public String toString() {
    return label;
  }
}
