package io.twinkernel.broker.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which processes move, /etc/twin/policy.conf. Each line is one of
 *
 * <pre>
 * move    cgroup|unit|process PATTERN
 * restart cgroup|unit|process PATTERN COMMAND...
 * stay    cgroup|unit|process PATTERN
 * move    disk PATH
 * </pre>
 *
 * <p>The first line that selects a process decides; what none selects stays. Text after # is a
 * comment. Kernel threads and what a broker itself is are never asked about. PATH is where the disk
 * is mounted that goes over with the processes; there is one at most.
 *
 * @param rules in the order of the lines
 * @param disk mount point of the disk that moves
 */
public record Policy(List<Rule> rules, Optional<String> disk) {
  /** Where the file lies. */
  public static final Path FILE = Path.of("/etc/twin/policy.conf");

  /** Keeps the list from changing. */
  public Policy {
    rules = List.copyOf(rules);
  }

  /**
   * Reads {@link #FILE}.
   *
   * @param cgroup what moves where there is no such file, a directory below /sys/fs/cgroup
   */
  public static Policy read(Path cgroup) throws IOException {
    try {
      return parse(Files.readString(FILE));
    } catch (NoSuchFileException e) {
      return ofCgroup(cgroup);
    }
  }

  /** Moves one cgroup with those below it, and nothing else. */
  public static Policy ofCgroup(Path cgroup) {
    String path = Path.of("/sys/fs/cgroup").relativize(cgroup).toString();
    return new Policy(
        List.of(new Rule(Disposition.MOVE, Rule.Selector.CGROUP, path, List.of())),
        Optional.empty());
  }

  /**
   * Parses a policy.
   *
   * @throws PolicyException naming the line that is wrong
   */
  public static Policy parse(String text) throws PolicyException {
    var rules = new ArrayList<Rule>();
    Optional<String> disk = Optional.empty();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String[] words = line.replaceFirst("#.*", "").strip().split("\\s+", -1);
      if (words.length > 1 && words[1].equals("disk")) {
        if (disk.isPresent()) {
          throw new PolicyException(number, "a second disk: one can move, " + disk.get());
        }
        disk = Optional.of(disk(words, number));
      } else if (!words[0].isEmpty()) {
        rules.add(rule(words, number));
      }
    }
    return new Policy(rules, disk);
  }

  private static String disk(String[] words, int line) throws PolicyException {
    if (!words[0].equals("move") || words.length != 3) {
      throw new PolicyException(line, "of a disk there is only 'move disk PATH'");
    }
    String path = words[2].replaceAll("(?<=.)/+$", "");
    if (!path.startsWith("/") || path.equals("/")) {
      throw new PolicyException(
          line, "'" + words[2] + "' is no mount point that can go: an absolute path, not the root");
    }
    return path;
  }

  private static Rule rule(String[] words, int line) throws PolicyException {
    Disposition disposition =
        word(Disposition.values(), words[0])
            .orElseThrow(
                () ->
                    new PolicyException(
                        line, "'" + words[0] + "' is none of move, restart and stay"));
    if (words.length < 3) {
      throw new PolicyException(line, "a selector and a pattern are missing after " + words[0]);
    }
    Rule.Selector selector =
        word(Rule.Selector.values(), words[1])
            .orElseThrow(
                () ->
                    new PolicyException(
                        line, "'" + words[1] + "' is none of cgroup, unit, process and disk"));
    String pattern = selector == Rule.Selector.CGROUP ? cgroup(words[2], line) : words[2];
    List<String> command = Arrays.asList(words).subList(3, words.length);
    if (disposition == Disposition.RESTART && command.isEmpty()) {
      throw new PolicyException(line, "the command that starts it anew is missing");
    }
    if (disposition == Disposition.RESTART && !command.getFirst().startsWith("/")) {
      throw new PolicyException(line, "the command's path is not absolute: " + command.getFirst());
    }
    if (disposition != Disposition.RESTART && !command.isEmpty()) {
      throw new PolicyException(line, "'" + command.getFirst() + "' is one word too many");
    }
    return new Rule(disposition, selector, pattern, command);
  }

  /** {@code /system.slice}, {@code system.slice/} and /sys/fs/cgroup/system.slice are the same. */
  private static String cgroup(String text, int line) throws PolicyException {
    String path = text.replaceFirst("^/sys/fs/cgroup(?=/|$)", "").replaceAll("^/+|/+$", "");
    if (path.isEmpty()) {
      throw new PolicyException(line, "the root cgroup holds this broker, too; name one below it");
    }
    return path;
  }

  private static <E extends Enum<E>> Optional<E> word(E[] values, String word) {
    return Arrays.stream(values)
        .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(word))
        .findFirst();
  }

  /** The rule that decides about a process, if there is one. */
  Optional<Rule> ruleFor(ProcessFacts process) {
    return rules.stream().filter(rule -> rule.selects(process)).findFirst();
  }
}
