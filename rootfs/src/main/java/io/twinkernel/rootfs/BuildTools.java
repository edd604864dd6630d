package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The programs that build modules for a kernel: this system's, or those of the Debian release that
 * the kernel is from. The latter run here by their own loader and C library: each program is
 * replaced by a script that says so, and lies beside it as {@code NAME.elf}. Nothing is installed.
 *
 * @param root where the packages are unpacked; absent: this system's are used
 */
record BuildTools(Optional<Path> root) {
  private static final String LOADER_NAME = "ld-linux-x86-64.so.2";
  private static final List<String> LIBRARIES =
      List.of("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu");

  /** An older release's programs run with this system's C library. */
  private static final Path OWN_LOADER = Path.of("/lib64", LOADER_NAME);

  private static final int PROGRAM_HEADERS = 0x20;
  private static final int PROGRAM_HEADER_SIZE = 0x36;
  private static final int PROGRAM_HEADER_COUNT = 0x38;
  private static final int PT_INTERP = 3;

  static BuildTools ofThisSystem() {
    return new BuildTools(Optional.empty());
  }

  static BuildTools in(Path root) {
    return new BuildTools(Optional.of(root));
  }

  /** What a build must find in its environment. */
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    root.ifPresent(
        folder -> {
          environment.put("PATH", folder.resolve("usr/bin") + ":" + System.getenv("PATH"));
          environment.put("TWIN_LOADER", loader(folder).toString());
          environment.put(
              "TWIN_LIBRARIES",
              String.join(
                  ":", LIBRARIES.stream().map(one -> folder.resolve(one).toString()).toList()));
        });
    return environment;
  }

  private static Path loader(Path folder) {
    return LIBRARIES.stream()
        .map(one -> folder.resolve(one).resolve(LOADER_NAME))
        .filter(Files::exists)
        .findFirst()
        .orElse(OWN_LOADER);
  }

  /** Puts a script in the place of every program below a folder. */
  static void adapt(Path folder) throws IOException {
    for (Path file : ImageCache.files(folder)) {
      String name = file.getFileName().toString();
      if (name.contains(".so") || !Files.isExecutable(file) || !asksForALoader(file)) {
        continue;
      }
      Files.move(file, file.resolveSibling(name + ".elf"));
      // The name it was called by tells a compiler what it is and where the rest of it lies.
      Files.writeString(
          file,
          "#!/bin/sh\nexec \"$TWIN_LOADER\" --argv0 \"$0\" --library-path \"$TWIN_LIBRARIES\" \"${0%/*}/"
              + name
              + ".elf\" \"$@\"\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    linkPlainNames(folder.resolve("usr/bin"));
  }

  /** A compiler looks for {@code as} and {@code ld}, which only a default package would bring. */
  private static void linkPlainNames(Path programs) throws IOException {
    if (!Files.isDirectory(programs)) {
      return;
    }
    String prefix = "x86_64-linux-gnu-";
    try (var all = Files.newDirectoryStream(programs, prefix + "*")) {
      for (Path file : all) {
        String name = file.getFileName().toString();
        Path plain = programs.resolve(name.substring(prefix.length()));
        if (!name.endsWith(".elf") && !Files.exists(plain)) {
          Files.createSymbolicLink(plain, Path.of(name));
        }
      }
    }
  }

  private static boolean asksForALoader(Path file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      while (start.hasRemaining() && channel.read(start) >= 0) {}
    }
    start.flip();
    if (start.limit() < 0x40 || start.getInt(0) != 0x464c457f) {
      return false;
    }
    long table = start.getLong(PROGRAM_HEADERS);
    int size = Short.toUnsignedInt(start.getShort(PROGRAM_HEADER_SIZE));
    int count = Short.toUnsignedInt(start.getShort(PROGRAM_HEADER_COUNT));
    for (int i = 0; i < count; i++) {
      long header = table + (long) i * size;
      if (header + 4 <= start.limit() && start.getInt((int) header) == PT_INTERP) {
        return true;
      }
    }
    return false;
  }
}
