package io.twinkernel.control.broker;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.twinkernel.control.upgrade.Failure;
import io.twinkernel.control.upgrade.Phase;
import io.twinkernel.control.upgrade.Role;
import io.twinkernel.control.upgrade.Status;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What brokers send: one JSON object a line. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = BrokerMessage.Hello.class, name = "hello"),
  @JsonSubTypes.Type(value = BrokerMessage.Event.class, name = "event"),
  @JsonSubTypes.Type(value = BrokerMessage.Reply.class, name = "reply")
})
public sealed interface BrokerMessage {
  /** The year 5138: what is later is not in milliseconds. */
  double LATEST_MS = 1e14;

  /**
   * The first line of a connection.
   *
   * @param protocol 1
   * @param kernel its release
   * @param token proves that it may connect
   * @param instance the upgrade that the broker is in, if it knows one
   * @param tscKhz frequency of the machine's time stamp counter
   */
  @SuppressWarnings("NullAway") // JSON may leave fields out
  record Hello(
      int protocol,
      String node,
      Role role,
      String kernel,
      String token,
      String instance,
      long tscKhz,
      long tsc)
      implements BrokerMessage {
    public Hello {
      Objects.requireNonNull(role, "hello has no 'role'");
      node = node == null ? "" : node;
      kernel = kernel == null ? "" : kernel;
      token = token == null ? "" : token;
      instance = instance == null ? "" : instance;
    }

    /** The token must not reach a log. */
    @Override
    public String toString() {
      return "hello from " + role.word() + " of " + node + " (" + kernel + ")";
    }
  }

  /** Something happened; see {@link io.twinkernel.control.upgrade.UpgradeEvent}. */
  @SuppressWarnings("NullAway") // JSON may leave fields out
  record Event(
      String upgrade,
      String kernel,
      Phase phase,
      Status status,
      long tsc,
      double atMs,
      String message,
      Map<String, Object> detail)
      implements BrokerMessage {
    public Event {
      Objects.requireNonNull(upgrade, "event has no 'upgrade'");
      Objects.requireNonNull(phase, "event has no 'phase'");
      Objects.requireNonNull(status, "event has no 'status'");
      if (!(atMs >= 0 && atMs < LATEST_MS)) {
        throw new IllegalArgumentException("'at_ms' is not in milliseconds since 1970: " + atMs);
      }
      kernel = kernel == null ? "" : kernel;
      message = message == null ? "" : message;
      detail = withoutNulls(detail);
    }

    /** To the microsecond. */
    BigDecimal at() {
      return BigDecimal.valueOf(atMs).setScale(3, RoundingMode.HALF_UP);
    }
  }

  /** The answer to a command. */
  @SuppressWarnings("NullAway") // JSON may leave fields out
  record Reply(long command, boolean ok, Map<String, Object> detail, @Nullable Failure failure)
      implements BrokerMessage {
    public Reply {
      detail = withoutNulls(detail);
      if (ok) {
        failure = null;
      } else if (failure == null) {
        failure = new Failure("unexplained", "the command", "the broker gave no reason", "", false);
      } else {
        failure =
            new Failure(
                text(failure.code(), "unexplained"),
                text(failure.what(), "the command"),
                text(failure.why(), "the broker gave no reason"),
                text(failure.todo(), ""),
                failure.undone());
      }
    }
  }

  private static String text(@Nullable String text, String otherwise) {
    return text == null ? otherwise : text;
  }

  private static Map<String, Object> withoutNulls(@Nullable Map<String, Object> detail) {
    var kept = new LinkedHashMap<String, Object>();
    if (detail != null) {
      detail.forEach(
          (key, value) -> {
            if (value != null) {
              kept.put(key, value);
            }
          });
    }
    return java.util.Collections.unmodifiableMap(kept);
  }
}
