package io.twinkernel.broker.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A kernel command line in the making (Documentation/admin-guide/kernel-parameters.rst). A
 * parameter comes once, but for those of which a kernel can have several.
 */
public final class KernelCommandLine {

  private static final Set<String> SEVERAL = Set.of("console", "memmap", "earlycon");

  private final int limit;
  private final List<String> parameters = new ArrayList<>();
  private final List<String> names = new ArrayList<>();

  /**
   * Starts an empty one.
   *
   * @param limit longest that the kernel takes, {@link KernelImage#commandLineLimit}
   */
  public KernelCommandLine(int limit) {
    this.limit = limit;
  }

  /** Adds a parameter without a value. */
  public KernelCommandLine add(String name) {
    return append(name, name);
  }

  /** Adds {@code name=value}; a value with spaces is quoted. */
  public KernelCommandLine add(String name, String value) {
    if (value.indexOf('"') >= 0 || value.indexOf('\n') >= 0) {
      throw new IllegalArgumentException(name + "=" + value + ": quotes cannot be expressed");
    }
    return append(name, value.indexOf(' ') < 0 ? name + "=" + value : name + "=\"" + value + '"');
  }

  /** Adds a number in decimal. */
  public KernelCommandLine add(String name, long value) {
    return add(name, Long.toString(value));
  }

  /** Adds an address in hexadecimal. */
  public KernelCommandLine addHex(String name, long value) {
    return add(name, "0x" + Long.toHexString(value));
  }

  /** Keeps a range of memory from the kernel: {@code memmap=SIZE$START}. */
  public KernelCommandLine reserve(long start, long size) {
    return add("memmap", "0x" + Long.toHexString(size) + "$0x" + Long.toHexString(start));
  }

  /**
   * Makes memory that the memory map says is reserved usable again: {@code memmap=SIZE%START-2+1},
   * from E820_TYPE_RESERVED to E820_TYPE_RAM.
   */
  public KernelCommandLine release(Reserved range) {
    return add("memmap", range.size() + "%" + range.start() + "-2+1");
  }

  /**
   * What a command line's {@link #reserve} says.
   *
   * @param start as it was written
   * @param size as it was written
   */
  public record Reserved(String start, String size) {}

  /** Every range that a command line keeps from its kernel. */
  public static List<Reserved> reserved(String commandLine) {
    var ranges = new ArrayList<Reserved>();
    for (String word : commandLine.strip().split(" ", -1)) {
      int dollar = word.indexOf('$');
      if (word.startsWith("memmap=") && dollar > 0) {
        ranges.add(
            new Reserved(word.substring(dollar + 1), word.substring("memmap=".length(), dollar)));
      }
    }
    return List.copyOf(ranges);
  }

  /**
   * The whole line.
   *
   * @throws ImageException {@code command-line-too-long}
   */
  public String build() throws ImageException {
    String line = String.join(" ", parameters);
    if (line.length() > limit) {
      throw new ImageException(
          "command-line-too-long",
          "the second kernel's command line",
          "it has " + line.length() + " characters, the kernel takes " + limit,
          "give it fewer parameters");
    }
    return line;
  }

  private KernelCommandLine append(String name, String parameter) {
    boolean valid = !name.isEmpty();
    for (int i = 0; valid && i < name.length(); i++) {
      char c = name.charAt(i);
      valid = c > ' ' && c < 0x7f && c != '=' && c != '"';
    }
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is not the name of a parameter");
    }
    // The kernel takes - and _ in names for the same (parameq() in kernel/params.c).
    String key = name.replace('-', '_');
    if (!SEVERAL.contains(key) && names.contains(key)) {
      throw new IllegalArgumentException(name + " is on the command line already");
    }
    names.add(key);
    parameters.add(parameter);
    return this;
  }
}
