package io.twinkernel.control.engine;

import io.twinkernel.control.upgrade.Verb;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long each phase may take. The defaults are generous enough for a machine in software
 * emulation: a deadline is there to end what hangs, not to judge what is slow.
 *
 * @param base by phase; those that are left out keep the default
 * @param scale a factor on all of them, for slower machines
 */
public record Deadlines(Map<Verb, Duration> base, double scale) {
  private static final Map<Verb, Duration> DEFAULTS =
      Map.of(
          Verb.PLAN, Duration.ofMinutes(2),
          Verb.PREPARE, Duration.ofMinutes(5),
          Verb.BOOT, Duration.ofMinutes(10),
          Verb.PRECOPY, Duration.ofMinutes(10),
          Verb.SWITCH, Duration.ofMinutes(5),
          Verb.ABSORB, Duration.ofMinutes(10),
          Verb.ROLLBACK, Duration.ofMinutes(5));

  /** The defaults. */
  public static final Deadlines GENEROUS = new Deadlines(Map.of(), 1);

  public Deadlines {
    if (!(scale > 0 && scale <= 1000)) {
      throw new IllegalArgumentException(
          "the deadlines' scale is " + scale + "; it has to lie above 0 and up to 1000");
    }
    var all = new EnumMap<Verb, Duration>(DEFAULTS);
    base.forEach(
        (verb, duration) -> {
          if (!DEFAULTS.containsKey(verb) || !duration.isPositive()) {
            throw new IllegalArgumentException("no deadline " + verb.word() + "=" + duration);
          }
          all.put(verb, duration);
        });
    base = Map.copyOf(all);
  }

  Duration of(Verb verb) {
    Duration duration = base.getOrDefault(verb, Duration.ofMinutes(10));
    return Duration.ofMillis((long) Math.ceil(duration.toMillis() * scale));
  }
}
