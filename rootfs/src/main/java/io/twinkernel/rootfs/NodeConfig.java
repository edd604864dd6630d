package io.twinkernel.rootfs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one machine is told at boot: {@code /etc/twin/node.conf}, lines of {@code name=value},
 * sorted by name. The guest's shell reads it as well as Java does, so names and values are plain.
 */
public record NodeConfig(SortedMap<String, String> values) {
  /** Where it lies in the guest. */
  public static final String PATH = "/etc/twin/node.conf";

  /**
   * @throws IllegalArgumentException a name or value that would not survive the file format
   */
  public NodeConfig {
    values = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(values));
    values.forEach(
        (name, value) -> {
          if (!name.matches("[a-z][a-z0-9.-]*") || !value.matches("[\\x21-\\x7e&&[^\\\\]]*")) {
            throw new IllegalArgumentException(
                "not a name and value for " + PATH + ": " + name + "=" + value);
          }
        });
  }

  public static NodeConfig of(Map<String, String> values) {
    return new NodeConfig(new TreeMap<>(values));
  }

  /** The file's text. */
  public String text() {
    StringBuilder text = new StringBuilder();
    values.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
    return text.toString();
  }

  /** An archive with only this file, to append to an initramfs. */
  public byte[] cpio() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      new CpioWriter().file(PATH, 0600, text().getBytes(StandardCharsets.US_ASCII)).write(out);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return out.toByteArray();
  }
}
