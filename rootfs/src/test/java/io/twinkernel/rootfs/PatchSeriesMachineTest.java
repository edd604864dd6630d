package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The patches of kernel-patches/series: they apply, as they are, to what Debian has of their
 * series, and checkpatch has nothing to say. (Debian has no 5.15.)
 */
@Tag("machine")
class PatchSeriesMachineTest {
  private static final String PARAMETERS = "Documentation/admin-guide/kernel-parameters.txt";

  private final ImageCache cache;
  @TempDir private Path folder;

  PatchSeriesMachineTest() throws RootfsException {
    cache = ImageCache.standard();
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.1", "6.12"})
  void appliesToDebiansSource(String series) throws Exception {
    List<Path> patches = patches(series);
    List<String> files = new ArrayList<>();
    for (Path patch : patches) {
      Files.readAllLines(patch).stream()
          .filter(line -> line.startsWith("--- a/"))
          .map(line -> line.substring("--- a/".length()))
          .filter(file -> !files.contains(file))
          .forEach(files::add);
    }
    assertThat(files).contains(PARAMETERS);
    Path pristine = LinuxSource.unpack(cache, series, files);
    for (String file : files) {
      Files.createDirectories(folder.resolve(file).getParent());
      Files.copy(pristine.resolve(file), folder.resolve(file));
    }

    for (Path patch : patches) {
      Command.Result result = apply(patch);
      assertThat(result.status()).as(result.text()).isZero();
      assertThat(result.text()).doesNotContain("offset", "fuzz").contains("patching file");
    }
    // And to that only: applied once more it is refused.
    assertThat(apply(patches.getLast()).status()).isEqualTo(1);
  }

  @Test
  void checkpatchIsContent() throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "perl",
                LinuxSource.checkpatch(cache).toString(),
                "--no-tree",
                "--strict",
                "--terse",
                "--no-summary"));
    List<Path> all = new ArrayList<>();
    for (String series : List.of("5.15", "6.1", "6.12")) {
      all.addAll(patches(series));
    }
    all.forEach(patch -> words.add(patch.toString()));
    assertThat(Command.attempt(folder, Map.of(), words).text()).isEmpty();

    Path spoilt = folder.resolve("spoilt.patch");
    Files.writeString(
        spoilt,
        Files.readString(all.getFirst()).replace("+\tstruct pci_ignored one;", "+  int i;"));
    words.set(words.size() - 1, spoilt.toString());
    assertThat(Command.attempt(folder, Map.of(), words).text())
        .contains("no spaces at the start of a line");
  }

  private Command.Result apply(Path patch) throws RootfsException, InterruptedException {
    return Command.attempt(
        folder,
        Map.of(),
        List.of("patch", "-p1", "--forward", "--batch", "--fuzz=0", "-i", patch.toString()));
  }

  private static List<Path> patches(String series) throws IOException, RootfsException {
    Path of = ProjectHome.find().root().resolve("kernel-patches/series").resolve(series);
    try (var files = Files.list(of)) {
      List<Path> patches =
          files.filter(file -> file.toString().endsWith(".patch")).sorted().toList();
      assertThat(patches).isNotEmpty();
      return patches;
    }
  }
}
