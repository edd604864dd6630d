package io.twinkernel.broker.policy;

/**
 * A line of /proc/PID/maps that has a name.
 *
 * @param address where it starts, as in maps
 * @param shared whether what is written to it others see that map the same
 * @param device major:minor of what it maps, in hexadecimal, as in maps
 * @param inode of what it maps
 * @param bytes size of the mapping
 * @param name path or what the kernel calls it
 */
public record Mapping(
    String address, boolean shared, String device, String inode, long bytes, String name) {

  /** Reads a line; null names are of anonymous memory, which always moves. */
  static Mapping parse(String line) {
    // ADDRESS-END PERMISSIONS OFFSET DEVICE INODE NAME
    String[] words = line.split(" +", 6);
    String[] range = words[0].split("-", -1);
    long bytes = Long.parseUnsignedLong(range[1], 16) - Long.parseUnsignedLong(range[0], 16);
    return new Mapping(
        range[0],
        words[1].endsWith("s"),
        words[3],
        words[4],
        bytes,
        words.length < 6 ? "" : words[5]);
  }

  /** Its device as mountinfo has it: maps has 00:1a where that has 0:26. */
  String decimalDevice() {
    int colon = device.indexOf(':');
    return Integer.parseInt(device.substring(0, colon), 16)
        + ":"
        + Integer.parseInt(device.substring(colon + 1), 16);
  }
}
