package io.twinkernel.broker;

/**
 * What the kernel's command line tells the broker.
 *
 * @param secondary whether this kernel was started beside another one
 * @param sharedStart physical address of the shared region, as written, empty on a primary
 * @param sharedSize its size in bytes, as written, empty on a primary
 * @param cpus APIC ids of the CPUs that the other kernel gave, separated by commas, empty on a
 *     primary
 * @param fault a fault to act out, empty for none
 */
record BootParameters(
    boolean secondary, String sharedStart, String sharedSize, String cpus, String fault) {

  static BootParameters parse(String commandLine) {
    return new BootParameters(
        value(commandLine, "twin.role").equals("secondary"),
        value(commandLine, "twin.shared_start"),
        value(commandLine, "twin.shared_size"),
        value(commandLine, "twin.cpus"),
        value(commandLine, "twin.fault"));
  }

  /** As finit_module takes them. */
  String moduleParameters() {
    return secondary
        ? "role=secondary shared_start="
            + sharedStart
            + " shared_size="
            + sharedSize
            + (cpus.isEmpty() ? "" : " cpus=" + cpus)
        : "";
  }

  private static String value(String commandLine, String name) {
    for (String word : commandLine.split(" ", -1)) {
      if (word.startsWith(name + "=")) {
        return word.substring(name.length() + 1);
      }
    }
    return "";
  }
}
