package io.twinkernel.control.upgrade;

/** How far an upgrade has come. {@link Transitions} says what leads where. */
public enum State {
  /** Accepted; the node is asked whether it is possible. */
  REQUESTED("the primary checks whether the upgrade is possible"),
  /** The node said that it is possible; nothing has changed on it. */
  PLANNED("possible; nothing has changed"),
  /** Image and tables are in place. */
  PREPARED("the twin's image and tables are loaded"),
  /** The twin runs and its broker answers. */
  BOOTED("the twin runs beside the primary"),
  /** The twin has a copy of the processes' memory. */
  PRECOPIED("the twin holds the processes' memory but for the last changes"),
  /** The brokers are in the critical section; only they know who owns the service. */
  SWITCHING("the brokers hand over; their word decides"),
  /** The twin owns the service. Final: the former primary must not come back. */
  COMMITTED("the twin serves; the point of no return is passed"),
  /** The twin has taken the rest of the machine. */
  ABSORBED("the twin has the CPUs and the memory"),
  /** All done. */
  COMPLETE("done"),
  /** The primary is asked to undo everything. */
  ROLLING_BACK("the primary undoes what was done"),
  /** The primary serves as before. */
  ROLLED_BACK("the primary serves as before"),
  /** All but the commit was done, and undone; the primary serves as before. */
  REHEARSED("rehearsed; the primary serves as before"),
  /** The node said no, before anything changed. */
  REFUSED("not possible; nothing was changed"),
  /** Needs a human; the failure says what is known. */
  FAILED("needs an operator");

  private final String meaning;

  State(String meaning) {
    this.meaning = meaning;
  }

  /** One line for people. */
  public String meaning() {
    return meaning;
  }

  /** Nothing more will happen. */
  public boolean terminal() {
    return switch (this) {
      case COMPLETE, ROLLED_BACK, REHEARSED, REFUSED, FAILED -> true;
      case REQUESTED,
          PLANNED,
          PREPARED,
          BOOTED,
          PRECOPIED,
          SWITCHING,
          COMMITTED,
          ABSORBED,
          ROLLING_BACK ->
          false;
    };
  }

  /** The control plane may still roll back by its own decision. */
  public boolean beforeSwitch() {
    return switch (this) {
      case REQUESTED, PLANNED, PREPARED, BOOTED, PRECOPIED -> true;
      case SWITCHING,
          COMMITTED,
          ABSORBED,
          COMPLETE,
          ROLLING_BACK,
          ROLLED_BACK,
          REHEARSED,
          REFUSED,
          FAILED ->
          false;
    };
  }

  /** Who owns the service in this state, given who owned it before. */
  Owner owner(Owner before) {
    return switch (this) {
      case REQUESTED,
          PLANNED,
          PREPARED,
          BOOTED,
          PRECOPIED,
          ROLLING_BACK,
          ROLLED_BACK,
          REHEARSED,
          REFUSED ->
          Owner.PRIMARY;
      case SWITCHING -> Owner.UNDECIDED;
      case COMMITTED, ABSORBED, COMPLETE -> Owner.SECONDARY;
      case FAILED -> before;
    };
  }
}
