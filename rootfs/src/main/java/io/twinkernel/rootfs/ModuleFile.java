package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A kernel module, uncompressed, and what its {@code .modinfo} section says (ELF-64, little
 * endian).
 *
 * @param content the .ko
 * @param information the first value of each key, such as {@code depends}
 */
record ModuleFile(ByteBuffer content, Map<String, String> information) {
  private static final int SECTION_TABLE = 0x28;
  private static final int SECTION_ENTRY_SIZE = 0x3a;
  private static final int SECTION_COUNT = 0x3c;
  private static final int SECTION_NAMES = 0x3e;

  /** Reads a .ko, or unpacks a .ko.xz, .ko.zst or .ko.gz. */
  static ModuleFile read(Path file) throws IOException, RootfsException, InterruptedException {
    String name = file.toString();
    byte[] bytes = name.endsWith(".ko") ? Files.readAllBytes(file) : unpacked(name);
    return new ModuleFile(ByteBuffer.wrap(bytes), information(bytes, name));
  }

  byte[] bytes() {
    byte[] bytes = new byte[content.remaining()];
    content.duplicate().get(bytes);
    return bytes;
  }

  /** The modules that must be loaded before it, by name with underscores. */
  List<String> needs() {
    return Arrays.stream(information.getOrDefault("depends", "").split(",", -1))
        .filter(one -> !one.isEmpty())
        .map(ModuleFile::plainName)
        .toList();
  }

  /** Modules are named with - or _ alike; the kernel itself says _. */
  static String plainName(String name) {
    return name.replace('-', '_');
  }

  private static byte[] unpacked(String name) throws RootfsException, InterruptedException {
    String tool = name.endsWith(".xz") ? "xz" : name.endsWith(".zst") ? "zstd" : "gzip";
    return Command.run(Path.of("/"), tool, "-qdc", name).bytes();
  }

  static Map<String, String> information(byte[] bytes, String name) throws RootfsException {
    ByteBuffer elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 0x40 || elf.getInt(0) != 0x464c457f) {
      throw new RootfsException(
          RootfsException.Code.MODULES,
          name + " is no kernel module",
          "it is not an ELF file",
          "Delete the cache entry or the file that holds it, and run it again.");
    }
    int table = Math.toIntExact(elf.getLong(SECTION_TABLE));
    int size = Short.toUnsignedInt(elf.getShort(SECTION_ENTRY_SIZE));
    int count = Short.toUnsignedInt(elf.getShort(SECTION_COUNT));
    int names = offset(elf, table + size * Short.toUnsignedInt(elf.getShort(SECTION_NAMES)));
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      int header = table + size * i;
      if (!text(bytes, names + elf.getInt(header)).equals(".modinfo")) {
        continue;
      }
      int start = offset(elf, header);
      String section =
          new String(
              bytes, start, Math.toIntExact(elf.getLong(header + 0x20)), StandardCharsets.UTF_8);
      for (String line : section.split("\0", -1)) {
        int equals = line.indexOf('=');
        if (equals > 0) {
          values.putIfAbsent(line.substring(0, equals), line.substring(equals + 1));
        }
      }
    }
    return values;
  }

  private static int offset(ByteBuffer elf, int header) {
    return Math.toIntExact(elf.getLong(header + 0x18));
  }

  private static String text(byte[] bytes, int start) {
    int end = start;
    while (bytes[end] != 0) {
      end++;
    }
    return new String(bytes, start, end - start, StandardCharsets.UTF_8);
  }
}
