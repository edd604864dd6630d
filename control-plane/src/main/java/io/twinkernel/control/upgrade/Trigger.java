package io.twinkernel.control.upgrade;

/** What moves an upgrade from one {@link State} to another. */
public enum Trigger {
  /** The broker says that the phase is done. */
  DONE("phase done"),
  /** The broker says no to the plan, or nothing at all. */
  REFUSE("plan refused"),
  /** The control plane says go. */
  SWITCH("go"),
  /** The secondary says that it owns the service. */
  COMMIT("secondary resumed"),
  /** The primary says that everything is undone. */
  UNDONE("primary undid"),
  /** The primary says that everything but the commit was done, and undone. */
  REHEARSE("primary rehearsed"),
  /** An operator, a failure or a deadline calls for a rollback. */
  ROLL_BACK("roll back"),
  /** What has to be done next did not work, and nothing else is left to try. */
  GIVE_UP("give up"),
  /** The secondary says that the primary panicked, and that it has taken the machine. */
  ADOPT("primary panicked"),
  /** Nothing is left to do. */
  FINISH("all done");

  private final String label;

  Trigger(String label) {
    this.label = label;
  }

  /** For the diagram. */
  public String label() {
    return label;
  }
}
