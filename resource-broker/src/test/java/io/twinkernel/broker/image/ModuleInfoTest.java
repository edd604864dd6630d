package io.twinkernel.broker.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On objects that gcc makes, with the section that the kernel's build puts into modules. */
class ModuleInfoTest {

  @TempDir Path work;

  @Test
  void theSectionIsRead() throws Exception {
    ModuleInfo info = ModuleInfo.read(module());
    assertThat(info.release()).isEqualTo("6.1.0-54-cloud-amd64");
    assertThat(info.values())
        .containsEntry("name", "twin")
        .containsEntry("version", "1.0")
        .containsEntry("license", "GPL");
  }

  @Test
  void itIsFoundWithinAnInitrd() throws Exception {
    Path modules = Files.createDirectories(work.resolve("tree/lib/modules/6.1"));
    Files.copy(module(), modules.resolve("twin.ko"));
    Files.copy(module(), modules.resolve("other.ko"));
    Process cpio =
        new ProcessBuilder("sh", "-c", "find . | cpio -o -H newc --quiet > ../initrd")
            .directory(work.resolve("tree").toFile())
            .start();
    assertThat(cpio.waitFor()).isZero();
    assertThat(InitrdImage.read(work.resolve("initrd")).twinModules())
        .singleElement()
        .satisfies(
            module -> {
              assertThat(module.path()).endsWith("lib/modules/6.1/twin.ko");
              assertThat(module.release()).isEqualTo("6.1.0-54-cloud-amd64");
            });
  }

  @Test
  void whatIsNoModuleIsRefused() throws Exception {
    Path text = Files.writeString(work.resolve("text"), "no module");
    assertThatThrownBy(() -> ModuleInfo.read(text)).isInstanceOf(ImageException.class);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    assertThatThrownBy(() -> ModuleInfo.read(java)).hasMessageContaining(".modinfo");
    byte[] whole = Files.readAllBytes(module());
    // The last section header is the string table's, of which only the first half is read.
    for (int length = 0; length < whole.length - 40; length += 7) {
      Path cut = Files.write(work.resolve("cut"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> ModuleInfo.read(cut)).isInstanceOf(ImageException.class);
    }
  }

  @Test
  void noDamageCausesMoreThanARefusal() throws Exception {
    byte[] whole = Files.readAllBytes(module());
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(64)] = (byte) random.nextInt(256);
      Path file = Files.write(work.resolve("damaged"), damaged);
      try {
        ModuleInfo.read(file);
      } catch (ImageException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  private Path module() throws IOException, InterruptedException {
    Path source =
        Files.writeString(
            work.resolve("twin.c"),
            """
            #define INFO(n, s) static const char n[] __attribute__((section(".modinfo"), used)) = s
            INFO(a, "name=twin"); INFO(b, "version=1.0"); INFO(c, "license=GPL");
            INFO(d, "vermagic=6.1.0-54-cloud-amd64 SMP preempt mod_unload modversions ");
            int twin(void) { return 1; }
            """);
    Path object = work.resolve("twin.o");
    Process gcc =
        new ProcessBuilder("gcc", "-c", source.toString(), "-o", object.toString())
            .inheritIO()
            .start();
    assertThat(gcc.waitFor()).isZero();
    return object;
  }
}
