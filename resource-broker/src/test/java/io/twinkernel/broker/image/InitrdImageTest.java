package io.twinkernel.broker.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.image.InitrdImage.Compression;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On archives that cpio and the real compressors make. */
class InitrdImageTest {

  private static final int CONTENT = 50_000;

  @TempDir Path work;

  @ParameterizedTest
  @CsvSource({
    "cat, NONE",
    "gzip -9, GZIP",
    "gzip -1 -n, GZIP",
    "zstd -q -19, ZSTD",
    "zstd -q --no-check, ZSTD",
    "lz4 -q -l, LZ4",
    "xz --check=crc32, XZ",
    "xz --check=sha256 --block-size=65536, XZ",
    "xz --check=crc32 --x86 --lzma2=dict=1MiB, XZ",
    "bzip2, UNCHECKED",
    "lzma, UNCHECKED"
  })
  void everyCompressionIsRecognisedAndItsEndFound(String compressor, Compression compression)
      throws Exception {
    byte[] archive = compressed(compressor, archive());
    InitrdImage image = read(archive);
    // cpio pads its archive to 512 bytes: what follows the trailer belongs to no part.
    int end = compression == Compression.NONE ? (lastTrailer(archive) + 3) & ~3 : archive.length;
    assertThat(image.parts()).containsExactly(new InitrdImage.Part(compression, 0, end));
    assertThat(image.unpackedSize())
        .isEqualTo(
            compression == Compression.NONE || compression == Compression.GZIP ? CONTENT + 6 : 0);
  }

  @ParameterizedTest
  @CsvSource({"cat", "gzip -9", "zstd -q -3", "lz4 -q -l", "xz --check=crc32"})
  void aFileThatIsCutOffAnywhereIsRefused(String compressor) throws Exception {
    byte[] archive = compressed(compressor, archive());
    // cpio pads its archive to 512 bytes: without all of that it is still whole.
    int whole = compressor.equals("cat") ? lastTrailer(archive) : archive.length;
    Random random = new Random(5);
    for (int length = whole - 1; length > 6; length -= 1 + random.nextInt(archive.length / 15)) {
      assertThat(refusal(Arrays.copyOf(archive, length)).code())
          .as("%s cut to %d of %d", compressor, length, archive.length)
          .isEqualTo("initrd-truncated");
    }
  }

  @Test
  void archivesFollowEachOther() throws Exception {
    byte[] plain = archive();
    byte[] gzip = compressed("gzip", plain);
    byte[] xz = compressed("xz --check=crc32", plain);
    byte[] zstd = compressed("zstd -q", plain);
    byte[] lz4 = compressed("lz4 -q -l", plain);
    InitrdImage image = read(joined(plain, gzip, zstd, xz, lz4, plain));
    assertThat(image.parts())
        .extracting(InitrdImage.Part::compression)
        .containsExactly(
            Compression.NONE,
            Compression.GZIP,
            Compression.ZSTD,
            Compression.XZ,
            Compression.LZ4,
            Compression.NONE);
    assertThat(refusal(joined(plain, Arrays.copyOf(gzip, gzip.length - 9))).code())
        .isEqualTo("initrd-truncated");
    assertThat(refusal(joined(gzip, "rubbish".getBytes(UTF_8))).code()).isEqualTo("initrd-invalid");
  }

  @Test
  void whatIsNoInitrdIsRefused() throws Exception {
    assertThat(refusal(new byte[0]).code()).isEqualTo("initrd-invalid");
    assertThat(refusal(new byte[4096]).code()).isEqualTo("initrd-invalid");
    assertThat(refusal("#!/bin/sh\n".getBytes(UTF_8)).code()).isEqualTo("initrd-invalid");
    assertThat(refusal(compressed("gzip", "no archive".repeat(50).getBytes(UTF_8))).code())
        .isEqualTo("initrd-invalid");
    assertThat(refusal(compressed("gzip", new byte[0])).code()).isEqualTo("initrd-truncated");
  }

  @Test
  void damageWithinGzipIsNoticed() throws Exception {
    byte[] gzip = compressed("gzip", archive());
    gzip[gzip.length - 6] ^= 1;
    assertThat(refusal(gzip).why()).contains("checksum");
  }

  @Test
  void noDamageCausesMoreThanARefusal() throws Exception {
    Random random = new Random(17);
    for (String compressor : new String[] {"cat", "gzip", "zstd -q", "lz4 -q -l", "xz"}) {
      byte[] archive = compressed(compressor, archive());
      int refused = 0;
      for (int i = 0; i < 50; i++) {
        byte[] damaged = archive.clone();
        int at = random.nextInt(random.nextBoolean() ? 12 : damaged.length);
        damaged[at] = (byte) random.nextInt(256);
        try {
          read(damaged);
        } catch (ImageException e) {
          refused++;
        }
      }
      assertThat(refused).as(compressor).isPositive();
    }
  }

  private InitrdImage read(byte[] bytes) throws IOException {
    return InitrdImage.read(Files.write(work.resolve("initrd"), bytes));
  }

  private ImageException refusal(byte[] bytes) throws IOException {
    try {
      throw new AssertionError("accepted " + read(bytes));
    } catch (ImageException e) {
      return e;
    }
  }

  private byte[] archive() throws Exception {
    Path tree = Files.createDirectories(work.resolve("tree"));
    byte[] content = new byte[CONTENT];
    Random random = new Random(1);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(40) + (i & 0x40));
    }
    Files.write(tree.resolve("content"), content);
    Files.writeString(tree.resolve("init"), "start\n");
    return run(new byte[0], "sh", "-c", "cd " + tree + " && find . | cpio -o -H newc --quiet");
  }

  private byte[] compressed(String compressor, byte[] archive) throws Exception {
    Path input = Files.write(work.resolve("input"), archive);
    return run(new byte[0], "sh", "-c", compressor + " < " + input);
  }

  private byte[] run(byte[] input, String... command) throws Exception {
    Path output = work.resolve("output");
    Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).start();
    process.getOutputStream().write(input);
    process.getOutputStream().close();
    String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(errors).isZero();
    return Files.readAllBytes(output);
  }

  private static int lastTrailer(byte[] archive) {
    int end = archive.length;
    while (archive[end - 1] == 0) {
      end--;
    }
    return end + 1;
  }

  private static byte[] joined(byte[]... parts) {
    byte[] all = new byte[0];
    for (byte[] part : parts) {
      int at = (all.length + 3) & ~3;
      byte[] more = Arrays.copyOf(all, at + part.length);
      System.arraycopy(part, 0, more, at, part.length);
      all = more;
    }
    return all;
  }
}
