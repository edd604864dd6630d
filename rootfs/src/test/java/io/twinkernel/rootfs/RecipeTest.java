package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeTest {
  @TempDir private Path folder;

  @Test
  void readsTheNodesRecipe() throws IOException, RootfsException {
    Recipe recipe = Recipe.read(ProjectHome.find().images().resolve("node.recipe"));

    assertThat(recipe.packages()).contains("redis-server", "busybox-static", "libc6");
    assertThat(recipe.newer())
        .contains(new Recipe.Newer("/usr/sbin/criu", PackageArchive.Release.TRIXIE, "criu", ""));
    assertThat(recipe.modules()).contains("virtio_net", "virtio_console", "unix_diag");
  }

  @Test
  void takesTheProgramThatTheKernelsNeed() throws IOException, RootfsException {
    Recipe recipe = Recipe.read(ProjectHome.find().images().resolve("node.recipe"));

    assertThat(recipe.forKernels("6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64").newer())
        .containsExactly(
            new Recipe.Newer("/usr/sbin/criu", PackageArchive.Release.TRIXIE, "criu", ""));
    assertThat(recipe.forKernels("7.2.12+deb13-cloud-amd64", "6.12.117+deb12-cloud-amd64").newer())
        .containsExactly(
            new Recipe.Newer("/usr/sbin/criu", PackageArchive.Release.SID, "criu", "6.16"));
  }

  @Test
  void leavesOutRemarks() throws IOException, RootfsException {
    Path file = Files.writeString(folder.resolve("r"), "# all of it\npackage a  b # two\n\n");

    assertThat(Recipe.read(file).packages()).containsExactly("a", "b");
  }

  @Test
  void saysWhichLineItCannotRead() throws IOException {
    for (String line :
        new String[] {"pakage x", "link /only-one", "device /dev/x 0600 1", "newer /x potato x"}) {
      Path file = Files.writeString(folder.resolve("r"), line);
      assertThatThrownBy(() -> Recipe.read(file))
          .isInstanceOf(RootfsException.class)
          .hasMessageContaining(line);
    }
  }
}
