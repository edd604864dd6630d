package io.twinkernel.broker.protocol;

import java.util.Map;

/**
 * Why a verb was refused or failed, in the form that reaches the operator.
 *
 * @param code stable, for programs
 * @param what what failed, with what
 * @param why the cause
 * @param todo what the operator can do
 * @param undone whether the machine is as it was before the upgrade
 */
public record Failure(String code, String what, String why, String todo, boolean undone) {

  public Failure withUndone(boolean undone) {
    return new Failure(code, what, why, todo, undone);
  }

  public Map<String, Object> toJson() {
    return Map.of("code", code, "what", what, "why", why, "todo", todo, "undone", undone);
  }

  public static Failure fromJson(Fields json) throws MalformedMessageException {
    return new Failure(
        json.text("code"),
        json.text("what"),
        json.text("why"),
        json.text("todo"),
        json.flag("undone"));
  }
}
