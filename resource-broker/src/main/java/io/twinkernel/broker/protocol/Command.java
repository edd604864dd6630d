package io.twinkernel.broker.protocol;

/**
 * What the control plane asks for.
 *
 * @param number identifies the reply
 * @param upgrade the upgrade it belongs to
 */
public record Command(long number, String upgrade, Verb verb, Fields arguments) {

  /** All that a broker does; there is no other way to make it act. */
  public enum Verb {
    PLAN,
    PREPARE,
    BOOT,
    PRECOPY,
    SWITCH,
    ABSORB,
    ROLLBACK,
    STATUS;

    static Verb of(String name) throws MalformedMessageException {
      for (Verb verb : values()) {
        if (verb.word().equals(name)) {
          return verb;
        }
      }
      throw new MalformedMessageException("no verb '" + name + "'");
    }

    /** As it stands in messages. */
    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  static Command fromJson(Fields json) throws MalformedMessageException {
    return new Command(
        json.number("command"),
        json.text("upgrade", ""),
        Verb.of(json.text("verb")),
        json.object("arguments"));
  }
}
