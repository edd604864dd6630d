package io.twinkernel.rootfs;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One version of a package in the archive, as {@code apt-get download --print-uris} names it:
 * {@code 'URI' NAME_VERSION_ARCH.deb SIZE SHA256:HEX}.
 *
 * @param file name of the .deb, with its version's colon written as %3a
 * @param size in bytes
 * @param sha256 64 hexadecimal digits, from the signed index
 */
record DebianPackage(String name, String version, String file, long size, String sha256) {
  private static final Pattern LINE =
      Pattern.compile("'[^']+' (([^_ ]+)_([^_ ]+)_[^_ ]+\\.deb) ([0-9]+) SHA256:([0-9a-f]{64})");

  /** Reads a line of apt's, or gives nothing for its other messages. */
  static Optional<DebianPackage> parse(String line) {
    Matcher matcher = LINE.matcher(line.strip());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        new DebianPackage(
            matcher.group(2),
            matcher.group(3).replace("%3a", ":"),
            matcher.group(1),
            Long.parseLong(matcher.group(4)),
            matcher.group(5)));
  }

  /** The line that {@link #parse} reads, without the address. */
  String line() {
    return "'-' " + file + " " + size + " SHA256:" + sha256;
  }
}
