package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unpacks the node's userland from Debian's archive and runs a newer release's program in it. */
@Tag("machine")
class NewerProgramMachineTest {
  private static final Progress PROGRESS = Progress.lines(System.out);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"6.1", "7.2"})
  void runsBesideAnOlderLibc(String kernel) throws Exception {
    ProjectHome home = ProjectHome.find();
    Userland userland =
        Userland.of(
            ImageCache.standard(),
            home,
            Recipe.read(home.images().resolve("node.recipe")).forKernels(kernel),
            PROGRESS);
    userland.programs().unpack(userland.busybox(), folder);

    List<String> version =
        Command.run(folder, "chroot", ".", "/bin/sh", "-c", "exec criu --version").lines();
    assertThat(version.getFirst()).matches("Version: [4-9][0-9.]*");
    // And the rest goes on with its own libraries.
    assertThat(Command.run(folder, "chroot", ".", "/bin/redis-server", "--version").text())
        .startsWith("Redis server v=7");
  }

  @Test
  void saysWhatThePackageDoesNotHold() throws Exception {
    ImageCache cache = ImageCache.standard();
    NewerProgram program =
        NewerProgram.of(
            cache,
            new PackageArchive(cache, PROGRESS),
            PROGRESS,
            new Recipe.Newer("/usr/sbin/criuu", PackageArchive.Release.TRIXIE, "criu", ""));

    assertThatThrownBy(() -> program.put(new CpioWriter()))
        .isInstanceOf(RootfsException.class)
        .hasMessageContaining("/usr/sbin/criuu")
        .hasMessageContaining("criu does not hold that file");
  }
}
