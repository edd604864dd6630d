package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCacheTest {
  @TempDir private Path folder;
  private final AtomicInteger built = new AtomicInteger();

  private ImageCache cache() throws RootfsException {
    return ImageCache.at(folder.resolve("cache"));
  }

  private Path entry() throws IOException, RootfsException, InterruptedException {
    return cache()
        .entry(
            "kind",
            "key",
            into -> {
              built.incrementAndGet();
              Files.createDirectories(into.resolve("deep"));
              Files.writeString(into.resolve("deep/file"), "content");
            });
  }

  @Test
  void buildsOnceAndThenFindsIt() throws Exception {
    assertThat(entry()).isEqualTo(folder.resolve("cache/kind/key"));
    assertThat(entry().resolve("deep/file")).hasContent("content");
    assertThat(built).hasValue(1);
    assertThat(folder.resolve("cache/tmp")).isEmptyDirectory();
  }

  @Test
  void rebuildsWhatWasDamaged() throws Exception {
    Files.writeString(entry().resolve("deep/file"), "c0ntent");
    assertThat(entry().resolve("deep/file")).hasContent("content");

    Files.delete(entry().resolve("deep/file"));
    assertThat(entry().resolve("deep/file")).hasContent("content");

    Files.delete(entry().resolve(ImageCache.MANIFEST));
    assertThat(entry().resolve("deep/file")).hasContent("content");
    assertThat(built).hasValue(4);
  }

  @Test
  void startsAfreshAfterABuilderThatWasKilled() throws Exception {
    Path left = folder.resolve("cache/tmp/kind-key/deep");
    Files.createDirectories(left);
    Files.writeString(left.resolve("half"), "half");

    assertThat(entry().resolve("deep/half")).doesNotExist();
  }

  @Test
  void aFailedBuildLeavesNothing() throws Exception {
    assertThatThrownBy(
            () ->
                cache()
                    .entry(
                        "kind",
                        "key",
                        into -> {
                          Files.writeString(into.resolve("half"), "half");
                          throw new IOException("no more space");
                        }))
        .hasMessage("no more space");

    assertThat(folder.resolve("cache/kind/key")).doesNotExist();
    assertThat(folder.resolve("cache/tmp")).isEmptyDirectory();
    assertThat(entry().resolve("half")).doesNotExist();
  }

  @Test
  void dropsWhatWasNotOpenedForLongWhenItBuildsAnother() throws Exception {
    Path old = cache().entry("kind", "old", into -> Files.writeString(into.resolve("f"), "f"));
    Path used = cache().entry("kind", "used", into -> Files.writeString(into.resolve("f"), "f"));
    FileTime longAgo =
        FileTime.from(Instant.now().minus(ImageCache.KEPT).minus(Duration.ofHours(1)));
    Files.setLastModifiedTime(old, longAgo);
    Files.setLastModifiedTime(used, longAgo);
    cache().entry("kind", "used", into -> Files.writeString(into.resolve("f"), "f"));

    entry();

    assertThat(old).doesNotExist();
    assertThat(used).isDirectory();
  }

  @Test
  void twoBuildersBuildOnce() throws Exception {
    try (ExecutorService builders = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Path>> results =
          IntStream.range(0, 8).mapToObj(i -> builders.submit(this::entry)).toList();
      for (Future<Path> result : results) {
        assertThat(result.get().resolve("deep/file")).hasContent("content");
      }
    }
    assertThat(built).hasValue(1);
  }

  @Test
  void liesWhereTheUserSays() {
    Path home = Path.of("/home/u");
    assertThat(ImageCache.standardRoot(Map.of(), home)).hasToString("/home/u/.cache/twinkernel");
    assertThat(ImageCache.standardRoot(Map.of("XDG_CACHE_HOME", "/c"), home))
        .hasToString("/c/twinkernel");
    assertThat(ImageCache.standardRoot(Map.of("XDG_CACHE_HOME", "/c", "TWIN_CACHE", "/t"), home))
        .hasToString("/t");
  }

  @Test
  void saysWhenItCannotBeWritten() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));

    assertThatThrownBy(() -> ImageCache.at(file.resolve("cache")))
        .isInstanceOf(RootfsException.class)
        .hasMessageContaining("TWIN_CACHE");
  }
}
