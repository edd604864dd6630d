package io.twinkernel.broker.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelImageTest {

  @TempDir Path work;

  @Test
  void debiansKernelsAreRead() throws IOException {
    KernelImage image = KernelImage.read(BzImages.BOOKWORM.write(work.resolve("vmlinuz")));
    assertThat(image.release()).isEqualTo("6.1.0-54-cloud-amd64");
    assertThat(image.version()).endsWith("Debian 6.1.190-1 (2026-10-16)");
    assertThat(image.protocol()).isEqualTo(0x020f);
    assertThat(image.commandLineLimit()).isEqualTo(2047);
    assertThat(image.alignment()).isEqualTo(2 << 20);
    assertThat(image.memory()).isEqualTo(0x337_7000);
    assertThat(image.fileSize()).isEqualTo(14_168_576);
    assertThat(KernelImage.read(BzImages.BACKPORTS.write(work.resolve("b"))).release())
        .isEqualTo("6.12.95+deb12-cloud-amd64");
  }

  @Test
  void aFileThatIsCutOffAnywhereIsRefused() throws IOException {
    Path file = BzImages.BACKPORTS.write(work.resolve("vmlinuz"));
    Random random = new Random(2);
    for (long length = BzImages.BACKPORTS.size() - 1; length > 0; ) {
      try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
        cut.setLength(length);
      }
      String code = length < 0x206 ? "image-not-a-kernel" : "image-truncated";
      refused(file, code);
      length -= length < 0x300 ? 1 : 1 + random.nextInt((int) Math.max(1, length / 8));
    }
  }

  @Test
  void whatIsNoKernelIsRefused() throws IOException {
    refused(Files.createFile(work.resolve("empty")), "image-not-a-kernel");
    refused(
        Files.writeString(work.resolve("text"), "#!/bin/sh\n".repeat(100)), "image-not-a-kernel");
    refused(Path.of(System.getProperty("java.home"), "bin", "java"), "image-not-a-kernel");
    Path nowhere = work.resolve("nowhere");
    assertThatThrownBy(() -> KernelImage.read(nowhere)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void kernelsThatCannotBeATwinAreRefused() throws IOException {
    unsuitable(0x206, "2.11", 0x0b, 0x02);
    unsuitable(0x236, "64-bit", 0x7e, 0x00);
    unsuitable(0x234, "relocatable", 0x00);
    unsuitable(0x20e, "version", 0, 0);
    unsuitable(0x20e, "version", 0xff, 0xff);
  }

  @Test
  void noHeaderCausesMoreThanARefusal() throws IOException {
    Random random = new Random(9);
    int refused = 0;
    for (int i = 0; i < 400; i++) {
      int at = 0x1f1 + random.nextInt(0x70);
      Path file = BzImages.BOOKWORM.writeChanged(work.resolve("damaged"), at, random.nextInt(256));
      try {
        KernelImage.read(file);
      } catch (ImageException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(10, 390);
  }

  private void unsuitable(int at, String why, int... bytes) throws IOException {
    Path file = BzImages.BOOKWORM.writeChanged(work.resolve("unsuitable"), at, bytes);
    assertThat(refused(file, "image-unsuitable").why()).contains(why);
  }

  private static ImageException refused(Path file, String code) {
    try {
      KernelImage image = KernelImage.read(file);
      throw new AssertionError("accepted " + image);
    } catch (ImageException e) {
      assertThat(e.code()).isEqualTo(code);
      assertThat(e).hasMessageContaining(file.toString());
      assertThat(e.todo()).isNotBlank();
      return e;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
