package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where this system gets its Debian packages from, so that other suites can be read from the same
 * mirror with the same keys. Understands both formats of sources.list(5).
 *
 * @param archive mirror of the suite proper
 * @param security mirror of its security updates
 */
record AptSources(Mirror archive, Mirror security) {
  /**
   * @param uri as apt wants it
   * @param signedBy key file, absent where apt's trusted keys serve
   */
  record Mirror(String uri, Optional<String> signedBy) {}

  /** A suite to read: {@code trixie-backports}, or {@code bookworm-security}. */
  record Suite(String name) {
    boolean isSecurity() {
      return name.endsWith("-security");
    }
  }

  /** Reads the configuration below a folder such as /etc/apt, for the suite that it runs. */
  static AptSources read(Path etcApt, String codename) throws IOException, RootfsException {
    List<Path> files = new ArrayList<>(List.of(etcApt.resolve("sources.list")));
    Path parts = etcApt.resolve("sources.list.d");
    if (Files.isDirectory(parts)) {
      try (Stream<Path> found = Files.list(parts)) {
        files.addAll(found.sorted().toList());
      }
    }
    Map<String, Mirror> mirrors = new LinkedHashMap<>();
    for (Path file : files) {
      if (Files.isRegularFile(file)) {
        String text = Files.readString(file);
        if (file.toString().endsWith(".sources")) {
          stanzas(text, mirrors);
        } else {
          lines(text, mirrors);
        }
      }
    }
    Mirror archive = mirrors.get(codename);
    if (archive == null) {
      throw new RootfsException(
          RootfsException.Code.NETWORK,
          "no source of Debian packages found",
          "nothing in " + etcApt + " names the suite " + codename + " with component main",
          "Add Debian's archive to " + etcApt + "/sources.list.");
    }
    return new AptSources(archive, mirrors.getOrDefault(codename + "-security", archive));
  }

  /** The sources for apt, in deb822 format. */
  String forSuites(List<Suite> suites) {
    StringBuilder text = new StringBuilder();
    for (Suite suite : suites) {
      Mirror mirror = suite.isSecurity() ? security : archive;
      text.append("Types: deb\nURIs: ").append(mirror.uri);
      text.append("\nSuites: ").append(suite.name).append("\nComponents: main\n");
      mirror.signedBy.ifPresent(key -> text.append("Signed-By: ").append(key).append('\n'));
      text.append('\n');
    }
    return text.toString();
  }

  private static void stanzas(String text, Map<String, Mirror> mirrors) {
    for (String stanza : text.split("\n[ \t]*\n", -1)) {
      Map<String, String> fields = new LinkedHashMap<>();
      stanza
          .lines()
          .filter(line -> !line.startsWith("#") && line.contains(":") && !line.startsWith(" "))
          .forEach(
              line -> {
                int colon = line.indexOf(':');
                fields.put(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
              });
      boolean used =
          words(fields.getOrDefault("Types", "")).contains("deb")
              && words(fields.getOrDefault("Components", "")).contains("main")
              && !fields.getOrDefault("Enabled", "yes").equals("no");
      if (used) {
        // A key can stand in the file itself; then the value continues on lines of its own and
        // apt's
        // trusted keys must serve.
        Optional<String> key =
            Optional.ofNullable(fields.get("Signed-By")).filter(value -> value.startsWith("/"));
        String uri = words(fields.getOrDefault("URIs", "")).getFirst();
        for (String suite : words(fields.getOrDefault("Suites", ""))) {
          mirrors.putIfAbsent(suite, new Mirror(uri, key));
        }
      }
    }
  }

  private static void lines(String text, Map<String, Mirror> mirrors) {
    for (String line : text.lines().map(String::strip).toList()) {
      if (!line.startsWith("deb ")) {
        continue;
      }
      String rest = line.substring(4).strip();
      Optional<String> key = Optional.empty();
      if (rest.startsWith("[")) {
        int end = rest.indexOf(']');
        key =
            words(rest.substring(1, Math.max(1, end))).stream()
                .filter(option -> option.startsWith("signed-by="))
                .map(option -> option.substring("signed-by=".length()))
                .findFirst();
        rest = rest.substring(end + 1).strip();
      }
      List<String> words = words(rest);
      if (words.size() >= 3 && words.subList(2, words.size()).contains("main")) {
        mirrors.putIfAbsent(words.get(1), new Mirror(words.getFirst(), key));
      }
    }
  }

  private static List<String> words(String text) {
    return Arrays.stream(text.split("[ \t]+", -1)).filter(word -> !word.isEmpty()).toList();
  }
}
