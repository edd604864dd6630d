package io.twinkernel.rootfs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over files, and over the named facts that make up a cache key. */
final class Digest {
  private final MessageDigest digest = sha256();

  /** Adds a named fact; name and value are kept apart, so that no two lists of facts collide. */
  Digest add(String name, String value) {
    digest.update(
        (name.length() + ":" + name + value.length() + ":" + value + ";")
            .getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Adds the contents of a file under a name. */
  Digest add(String name, Path file) throws IOException {
    return add(name, of(file));
  }

  /** The key: 32 hexadecimal digits are enough to tell entries of one cache apart. */
  String key() {
    return HexFormat.of().formatHex(digest.digest()).substring(0, 32);
  }

  /** SHA-256 of a file, as 64 hexadecimal digits. */
  static String of(Path file) throws IOException {
    MessageDigest digest = sha256();
    byte[] buffer = new byte[1 << 18];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static String of(byte[] bytes) {
    return HexFormat.of().formatHex(sha256().digest(bytes));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
