package io.twinkernel.broker.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One line of a policy.
 *
 * @param disposition of the processes that it selects
 * @param selector what of a process the pattern is compared with
 * @param pattern {@code *} stands for any characters but {@code /}
 * @param command what starts them in the second kernel, as words; only with {@link
 *     Disposition#RESTART}
 */
public record Rule(
    Disposition disposition, Selector selector, String pattern, List<String> command) {

  /** What a rule looks at. */
  public enum Selector {
    /** The cgroup, as a path below /sys/fs/cgroup; it stands for those below it, too. */
    CGROUP,
    /** Any of the names that make up the cgroup's path: systemd names them after its units. */
    UNIT,
    /** The process's name (comm), or with a {@code /} in the pattern its executable's path. */
    PROCESS
  }

  /** Keeps the list from changing. */
  public Rule {
    command = List.copyOf(command);
  }

  /** Whether this rule is about the process. */
  boolean selects(ProcessFacts process) {
    return switch (selector) {
      case CGROUP -> inCgroup(process.cgroup());
      case UNIT -> List.of(process.cgroup().split("/", -1)).stream().anyMatch(this::matches);
      case PROCESS -> matches(pattern.contains("/") ? process.executable() : process.name());
    };
  }

  private boolean inCgroup(String cgroup) {
    String prefix = cgroup;
    while (true) {
      if (matches(prefix)) {
        return true;
      }
      int slash = prefix.lastIndexOf('/');
      if (slash < 0) {
        return false;
      }
      prefix = prefix.substring(0, slash);
    }
  }

  private boolean matches(String text) {
    String regex =
        Arrays.stream(pattern.split("\\*", -1))
            .map(Pattern::quote)
            .collect(Collectors.joining("[^/]*"));
    return Pattern.matches(regex, text);
  }

  @Override
  public String toString() {
    return (disposition + " " + selector).toLowerCase(Locale.ROOT) + " " + pattern;
  }
}
