package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelCatalogTest {
  @TempDir private Path folder;

  @Test
  void headersAreBuiltAgainstWhereverTheyLie() {
    assertThat(
            DebianKernel.relocated(
                "KBUILD_OUTPUT=/usr/src/linux-headers-7\ninclude /usr/src/linux-headers-7-common/Makefile\n"))
        .doesNotContain("/usr/src")
        .contains("KBUILD_OUTPUT:=$(dir ")
        .contains("../linux-headers-7-common/Makefile\n");
  }

  @Test
  void refusesWhatIsNoKernelName() throws RootfsException {
    KernelCatalog catalog = new KernelCatalog(ImageCache.at(folder), Progress.silent());

    assertThatThrownBy(() -> catalog.find(KernelSource.parse("stable")))
        .isInstanceOfSatisfying(
            RootfsException.class,
            e -> assertThat(e.code()).isEqualTo(RootfsException.Code.UNKNOWN_KERNEL));
  }

  @Test
  void takesAKernelFromFiles() throws IOException, RootfsException, InterruptedException {
    Path image = BzImageTest.write(folder.resolve("bzImage"), "6.99.0-own");
    Path modules = Files.createDirectories(folder.resolve("modules/kernel")).getParent();
    KernelCatalog catalog = new KernelCatalog(ImageCache.at(folder), Progress.silent());

    Kernel kernel = catalog.find(KernelSource.parse(image + ":" + modules));

    assertThat(kernel.release()).isEqualTo("6.99.0-own");
    assertThat(kernel.parts().image()).isEqualTo(image);
    assertThatThrownBy(() -> kernel.parts().buildFolder()).hasMessageContaining("build folder");
  }

  @Test
  void refusesAModulesFolderWithoutModules() throws IOException, RootfsException {
    Path image = BzImageTest.write(folder.resolve("bzImage"), "6.99.0-own");
    KernelCatalog catalog = new KernelCatalog(ImageCache.at(folder), Progress.silent());

    assertThatThrownBy(() -> catalog.find(KernelSource.parse(image + ":" + folder)))
        .isInstanceOfSatisfying(
            RootfsException.class,
            e -> assertThat(e.code()).isEqualTo(RootfsException.Code.MODULES));
  }
}
