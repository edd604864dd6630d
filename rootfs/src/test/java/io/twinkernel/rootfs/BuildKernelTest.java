package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What kernel-patches/build-kernel refuses, before it reads or writes anything. */
class BuildKernelTest {
  @TempDir private Path folder;
  private Path tarball = Path.of("");
  private Path out = Path.of("");

  @BeforeEach
  void makeTarball() throws Exception {
    Files.createDirectories(folder.resolve("linux-5.15.1"));
    Files.writeString(folder.resolve("linux-5.15.1/Makefile"), "all:\n");
    tarball = folder.resolve("linux-5.15.1.tar.gz");
    out = folder.resolve("out");
    Command.run(folder, "tar", "-czf", tarball.toString(), "linux-5.15.1");
  }

  @Test
  void takesNoUrlWithoutASum() throws Exception {
    Command.Result result = build("--tarball", "https://localhost/linux.tar.xz");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.errors()).contains("a URL is not taken without --sha256");
    assertThat(out.resolve("source")).doesNotExist();
  }

  @Test
  void takesNoTarballWithAnotherSum() throws Exception {
    String wrong = "0".repeat(64);
    Command.Result result = build("--tarball", tarball.toString(), "--sha256", wrong);
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.errors()).contains(Digest.of(tarball), "not " + wrong);
    assertThat(out.resolve("source")).doesNotExist();
  }

  @Test
  void deletesNothingOfAFolderThatIsNotItsOwn() throws Exception {
    Files.createDirectories(out.resolve("lib"));
    Command.Result result = build("--tarball", tarball.toString());
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.errors()).contains("neither empty nor of an earlier run");
    assertThat(out.resolve("lib")).exists();
  }

  @Test
  void saysWhatIsNotThereOrNotMeant() throws Exception {
    assertThat(build("--tarball", folder.resolve("none").toString()).errors()).contains("no file");
    assertThat(build("--tarball", tarball.toString(), "--sha256", "12").errors())
        .contains("64 hexadecimal digits");
    assertThat(build("--tarbal", "x").errors()).contains("no such option: --tarbal");
    assertThat(build("--tarball").errors()).contains("--tarball needs a value");
    assertThat(build().status()).isEqualTo(2);
  }

  private Command.Result build(String... options)
      throws IOException, RootfsException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                ProjectHome.find().root().resolve("kernel-patches/build-kernel").toString(),
                "--out",
                out.toString()));
    words.addAll(List.of(options));
    return Command.attempt(folder, Map.of(), words);
  }
}
