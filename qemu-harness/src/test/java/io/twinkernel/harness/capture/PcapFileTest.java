package io.twinkernel.harness.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PcapFileTest {

  private static final int ROUNDS = 200;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasWrittenIsRead(boolean nanos) throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < ROUNDS; round++) {
      List<TcpSegment> sent = new ArrayList<>();
      List<Frame> frames = new ArrayList<>();
      for (int i = random.nextInt(20); i > 0; i--) {
        long at = random.nextLong(4_000_000_000L) * 1_000_000_000L + random.nextInt(1000) * 1000L;
        TcpSegment segment = Wire.random(random, at);
        sent.add(segment);
        frames.add(new Frame(at, Wire.frame(segment, random)));
      }
      ByteOrder order = random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;

      List<Frame> read = PcapFile.parse(Wire.file(frames, nanos, order));

      assertThat(read.stream().map(TcpSegment::parse).flatMap(Optional::stream).toList())
          .isEqualTo(sent);
    }
  }

  @Test
  void aCaptureThatWasCutShortGivesItsWholeRecords() throws IOException {
    SplittableRandom random = new SplittableRandom(2);
    Frame frame = new Frame(0, Wire.frame(Wire.random(random, 0), random));
    ByteBuffer whole = Wire.file(List.of(frame, frame), true, ByteOrder.LITTLE_ENDIAN);
    int one = 24 + 16 + frame.bytes().remaining();
    for (int length = 24; length < whole.limit(); length++) {
      assertThat(PcapFile.parse(whole.slice(0, length))).hasSize(length < one ? 0 : 1);
    }
  }

  @Test
  void whateverTheBytesAreTheyAreReadOrRefused() {
    SplittableRandom random = new SplittableRandom(3);
    int refused = 0;
    for (int round = 0; round < 20 * ROUNDS; round++) {
      Frame frame = new Frame(0, Wire.frame(Wire.random(random, 0), random));
      ByteBuffer file = Wire.file(List.of(frame, frame), true, ByteOrder.LITTLE_ENDIAN);
      for (int i = random.nextInt(8); i >= 0; i--) {
        file.put(random.nextInt(file.limit()), (byte) random.nextInt());
      }
      try {
        PcapFile.parse(file.slice(0, random.nextInt(file.limit() + 1)))
            .forEach(one -> TcpSegment.parse(one));
      } catch (IOException said) {
        assertThat(said.getMessage()).isNotBlank();
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void saysWhichFileIsNoCapture() throws IOException {
    Path file = Files.writeString(folder.resolve("x"), "twenty-four bytes or more, but no capture");
    assertThatThrownBy(() -> PcapFile.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString());
  }
}
