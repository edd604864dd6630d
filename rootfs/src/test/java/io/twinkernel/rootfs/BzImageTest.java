package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BzImageTest {
  @TempDir private Path folder;

  /** The smallest thing with a boot header: 4 set-up sectors and 16 KiB of body. */
  static Path write(Path file, String release) throws IOException {
    ByteBuffer image = ByteBuffer.allocate(5 * 512 + 16384).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 4).putInt(0x1f4, 1024).putInt(0x202, 0x53726448);
    image.putShort(0x20e, (short) 0x200);
    image.put(0x400, (release + " (builder) #1").getBytes(StandardCharsets.US_ASCII));
    return Files.write(file, image.array());
  }

  @Test
  void readsTheRelease() throws IOException, RootfsException {
    assertThat(BzImage.release(write(folder.resolve("k"), "6.1.0-56-cloud-amd64")))
        .isEqualTo("6.1.0-56-cloud-amd64");
  }

  @Test
  void refusesAnotherFile() throws IOException {
    refuses(
        Files.writeString(folder.resolve("text"), "not a kernel\n".repeat(1000)), "boot header");
    refuses(Files.createFile(folder.resolve("empty")), "boot header");
  }

  @Test
  void refusesAKernelThatIsCutShort() throws IOException {
    Path whole = write(folder.resolve("k"), "6.1.0");
    byte[] bytes = Files.readAllBytes(whole);

    refuses(
        Files.write(folder.resolve("half"), Arrays.copyOf(bytes, bytes.length / 2)), "cut short");
  }

  private static void refuses(Path file, String why) {
    assertThatThrownBy(() -> BzImage.release(file))
        .isInstanceOfSatisfying(
            RootfsException.class,
            e -> assertThat(e.code()).isEqualTo(RootfsException.Code.NOT_A_KERNEL))
        .hasMessageContaining(why);
  }
}
