package io.twinkernel.broker.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class Ext4SuperblockTest {
  @TempDir Path folder;

  private Ext4Superblock captured(String name) throws IOException {
    byte[] device = new byte[2048];
    System.arraycopy(bytes(name), 0, device, 1024, 1024);
    return Ext4Superblock.read(Files.write(folder.resolve(name), device));
  }

  private static byte[] bytes(String name) throws IOException {
    try (var in = Ext4SuperblockTest.class.getResourceAsStream("superblocks.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
      String line =
          text.lines().filter(one -> one.startsWith(name + " ")).findFirst().orElseThrow();
      return Base64.getDecoder().decode(line.substring(name.length() + 1));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "clean, ''",
    "frozen, ''",
    "mounted, its journal has to be replayed",
    "orphan, a file without a name",
  })
  void onlyASettledOneCanBeMountedAndTakenBack(String name, String why) throws IOException {
    Ext4Superblock superblock = captured(name);
    assertThat(superblock.unsuited()).isEmpty();
    assertThat(superblock.unsettled().orElse("")).contains(why);
    assertThat(superblock.unsettled().isEmpty()).isEqualTo(why.isEmpty());
  }

  @ParameterizedTest
  @CsvSource({"no-journal, no journal", "mmp, mmp", "quota, quotas"})
  void whatWouldBeWrittenAllTheSameIsUnsuited(String name, String why) throws IOException {
    assertThat(captured(name).unsuited()).singleElement().asString().contains(why);
  }

  @Test
  void itIsKnownByItsUuid() throws IOException {
    assertThat(captured("clean").uuid()).hasSize(32).isNotEqualTo(captured("mmp").uuid());
    assertThat(captured("clean").uuid()).isEqualTo(captured("frozen").uuid());
  }

  @Test
  void garbageIsRefused() throws IOException {
    byte[] device = new byte[2048];
    var random = new Random(7);
    for (int i = 0; i < 200; i++) {
      random.nextBytes(device);
      device[1024 + 0x38] = 0;
      Path file = Files.write(folder.resolve("garbage"), device);
      assertThatThrownBy(() -> Ext4Superblock.read(file)).hasMessageContaining("no ext4");
    }
    Path cut = Files.write(folder.resolve("cut"), new byte[1500]);
    assertThatThrownBy(() -> Ext4Superblock.read(cut)).hasMessageContaining("ends before");
  }
}
