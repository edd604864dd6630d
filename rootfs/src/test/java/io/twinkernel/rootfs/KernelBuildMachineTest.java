package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Builds the module for the kernels that Debian has, found in its indexes. Of a release's kernels
 * of one series there are many that differ little: the oldest and the newest of the cloud flavour
 * are taken, and the newest of each other flavour.
 */
@Tag("machine")
class KernelBuildMachineTest {
  private static final ImageCache CACHE = standard();

  private static ImageCache standard() {
    try {
      return ImageCache.standard();
    } catch (RootfsException e) {
      throw new AssertionError(e);
    }
  }

  static List<String> kernels() throws IOException, RootfsException, InterruptedException {
    KernelCatalog catalog = new KernelCatalog(CACHE, Progress.lines(System.out));
    List<String> kernels = new ArrayList<>();
    for (PackageArchive.Release debian : PackageArchive.Release.values()) {
      kernels.addAll(sample(catalog.releases(debian)));
    }
    return kernels;
  }

  /** The ends of each series and flavour. */
  static List<String> sample(List<String> releases) {
    Map<String, List<String>> kinds =
        releases.stream()
            .collect(
                Collectors.groupingBy(
                    KernelBuildMachineTest::kind, TreeMap::new, Collectors.toList()));
    return kinds.values().stream()
        .flatMap(
            kind -> {
              String newest = kind.getLast();
              return newest.endsWith("-cloud-amd64")
                  ? Stream.of(kind.getFirst(), newest).distinct()
                  : Stream.of(newest);
            })
        .sorted(Comparator.naturalOrder())
        .toList();
  }

  private static String kind(String release) {
    return KernelNames.series(release).orElseThrow()
        + release.replaceFirst("^[0-9].*?(-(cloud|rt))?-amd64$", "$1");
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void buildsWithoutAWarning(String release) throws Exception {
    Kernel kernel = new KernelCatalog(CACHE, Progress.silent()).find(KernelSource.parse(release));
    assertThat(kernel.release()).isEqualTo(release);
    Path module = built(kernel);

    assertThat(Files.readString(module.resolveSibling(TwinModule.LOG))).isEmpty();
    assertThat(ModuleFile.read(module).information().get("vermagic")).startsWith(release + " ");
  }

  /** Some mirrors list packages that they do not hold: nothing can be built for those. */
  private static Path built(Kernel kernel)
      throws IOException, RootfsException, InterruptedException {
    try {
      return new TwinModule(CACHE, ProjectHome.find().moduleSources(), Progress.silent())
          .build(kernel);
    } catch (RootfsException e) {
      if (e.code() == RootfsException.Code.NETWORK && e.why().contains("404")) {
        return Assumptions.abort(e.what() + ": " + e.why());
      }
      throw e;
    }
  }
}
