package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why something was refused or failed, in the form that reaches the operator.
 *
 * @param code stable, for programs
 * @param what what failed, with what
 * @param why the cause
 * @param todo what the operator can do
 * @param undone set by brokers: whether the machine is as it was before the upgrade
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Failure(String code, String what, String why, String todo, @Nullable Boolean undone) {

  public Failure(String code, String what, String why, String todo) {
    this(code, what, why, todo, null);
  }

  /** What a broker told unasked: its event's detail says the cause, or its message does. */
  static Failure of(Input.Said said, String code) {
    Map<?, ?> cause = said.detail().get("cause") instanceof Map<?, ?> map ? map : Map.of();
    Object why = cause.get("why");
    return new Failure(
        code,
        "the node",
        why == null ? said.message() : String.valueOf(why),
        "read both kernels' consoles");
  }

  boolean isUndone() {
    return undone != null && undone;
  }

  /** For an event's detail. */
  Map<String, Object> toMap() {
    var map = new LinkedHashMap<String, Object>();
    map.put("code", code);
    map.put("what", what);
    map.put("why", why);
    map.put("todo", todo);
    if (undone != null) {
      map.put("undone", undone);
    }
    return map;
  }

  @Override
  public String toString() {
    return what + ": " + why + (todo.isEmpty() ? "" : " (" + todo + ")");
  }
}
