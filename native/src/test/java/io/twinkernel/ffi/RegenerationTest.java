package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The committed bindings are what jextract makes of the committed arguments. */
@EnabledIfSystemProperty(
    named = "jextract",
    matches = ".+",
    disabledReason = "give the tool with -Djextract=PATH")
final class RegenerationTest {
  private static final Path COMMITTED =
      CCompiler.MODULE.resolve("src/main/java/io/twinkernel/ffi/bindings");

  @TempDir Path folder;

  @Test
  void jextractMakesTheSameBindings() throws Exception {
    generate("linux", CCompiler.BINDING_HEADERS.resolve("linux.h"));
    generate("errnos", CCompiler.BINDING_HEADERS.resolve("errnos.h"));
    generate("netlink", CCompiler.BINDING_HEADERS.resolve("netlink.h"));
    generate("twin", CCompiler.TWIN_HEADERS.resolve("twin.h"));

    SortedMap<String, String> generated = contents(folder.resolve("io/twinkernel/ffi/bindings"));
    SortedMap<String, String> committed = contents(COMMITTED);
    assertThat(generated.keySet()).isEqualTo(committed.keySet());
    generated.forEach((name, text) -> assertThat(text).as(name).isEqualTo(committed.get(name)));
  }

  private void generate(String name, Path header) throws Exception {
    Path arguments = CCompiler.BINDING_HEADERS.resolve(name + ".args");
    CCompiler.Result result =
        CCompiler.run(
            List.of(
                System.getProperty("jextract"),
                "@" + arguments,
                "--output",
                folder.toString(),
                header.toString()));
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  private static SortedMap<String, String> contents(Path folder) throws IOException {
    SortedMap<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!name.equals("package-info.java")) {
          contents.put(name, Files.readString(file));
        }
      }
    }
    return contents;
  }
}
