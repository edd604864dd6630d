package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a kernel module says about itself in its section {@code .modinfo}.
 *
 * @param path of the file, or its name in an archive
 * @param values {@code name}, {@code version}, {@code vermagic} and so on; of several the last
 */
public record ModuleInfo(String path, Map<String, String> values) {

  private static final int LONGEST_VALUE = 4096;
  private static final int SECTION = 64; // Elf64_Shdr

  /** Keeps the map from changing. */
  public ModuleInfo {
    values = Map.copyOf(values);
  }

  /**
   * Reads a module; one that is compressed cannot be read.
   *
   * @throws ImageException {@code module-invalid}
   */
  public static ModuleInfo read(Path path) throws IOException {
    try (ImageFile file = new ImageFile(path)) {
      return read(file, 0, path.toString());
    }
  }

  /** The release that it is built for, as {@code uname -r} prints it; empty where it says none. */
  public String release() {
    String magic = values.getOrDefault("vermagic", "");
    int space = magic.indexOf(' ');
    return space < 0 ? magic : magic.substring(0, space);
  }

  /** Reads a module that starts at an offset of a file. */
  static ModuleInfo read(ImageFile file, long base, String path) throws IOException {
    if (!file.has(base, 0x7f, 'E', 'L', 'F', 2, 1)) {
      throw invalid(path, "it is no 64-bit ELF object, or compressed");
    }
    try {
      long sections = base + file.u32(base + 0x28);
      int count = file.u16(base + 0x3c);
      long names = base + file.u32(sections + (long) file.u16(base + 0x3e) * SECTION + 0x18);
      for (int i = 0; i < count; i++) {
        long section = sections + (long) i * SECTION;
        if (file.text(names + file.u32(section), 16).equals(".modinfo")) {
          long start = base + file.u32(section + 0x18);
          return new ModuleInfo(path, values(file, start, start + file.u32(section + 0x20)));
        }
      }
    } catch (EOFException e) {
      throw invalid(path, "it is cut off");
    }
    throw invalid(path, "it has no section .modinfo");
  }

  /** Zero-terminated {@code key=value}. */
  private static Map<String, String> values(ImageFile file, long start, long end)
      throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    for (long at = start; at < end; ) {
      String entry = file.text(at, (int) Math.min(LONGEST_VALUE, end - at));
      int equals = entry.indexOf('=');
      if (equals > 0) {
        values.put(entry.substring(0, equals), entry.substring(equals + 1));
      }
      at += entry.length() + 1L;
    }
    return values;
  }

  private static ImageException invalid(String path, String why) {
    return new ImageException(
        "module-invalid", path, why, "build the module anew for the kernel that shall load it");
  }
}
