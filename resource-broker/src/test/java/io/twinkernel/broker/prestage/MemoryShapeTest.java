package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.prestage.MemoryShape.Kind;
import io.twinkernel.broker.prestage.MemoryShape.Part;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class MemoryShapeTest {
  private static final int PAGE = PageScan.PAGE;
  private static final List<Kind> KINDS = List.of(Kind.values());

  @RepeatedTest(50)
  void comesOverUnchangedOrNotAtAll(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    MemoryShape shape = any(random);
    byte[] bytes = shape.toBytes();

    assertThat(MemoryShape.fromBytes(bytes)).isEqualTo(shape);
    byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length));
    assertThatThrownBy(() -> MemoryShape.fromBytes(cut)).isInstanceOf(IOException.class);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(40));
    assertThatThrownBy(() -> MemoryShape.fromBytes(longer)).isInstanceOf(IOException.class);
    var disordered = new ArrayList<>(shape.parts());
    Collections.swap(disordered, 0, 1 + random.nextInt(disordered.size() - 1));
    byte[] wrong = new MemoryShape(1, disordered).toBytes();
    assertThatThrownBy(() -> MemoryShape.fromBytes(wrong))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("out of order");
  }

  /** What is read from any bytes is a layout, or an exception. */
  @RepeatedTest(200)
  void damageIsNoticedOrHarmless(RepetitionInfo repetition) {
    var random = new Random(-repetition.getCurrentRepetition());
    byte[] bytes = any(random).toBytes();
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
    try {
      long from = 0;
      for (Part part : MemoryShape.fromBytes(bytes).parts()) {
        assertThat(part.start()).isGreaterThanOrEqualTo(from).isLessThan(part.end());
        assertThat(part.start() % PAGE).isZero();
        assertThat(part.end() % PAGE).isZero();
        from = part.end();
      }
    } catch (IOException expected) {
      assertThat(expected).hasMessageMatching("(?s).+");
    }
  }

  @Test
  void overlapsAndUnknownKindsAreRefused() {
    var overlapping = new ArrayList<Part>();
    overlapping.add(new Part(PAGE, 3 * PAGE, 3, Kind.ANONYMOUS));
    overlapping.add(new Part(2 * PAGE, 4 * PAGE, 1, Kind.OTHER));
    byte[] bytes = new MemoryShape(7, overlapping).toBytes();
    assertThatThrownBy(() -> MemoryShape.fromBytes(bytes)).isInstanceOf(IOException.class);
    byte[] unknown =
        ByteBuffer.allocate(24).putInt(7).putInt(1).putLong(PAGE | 0xff).putLong(2 * PAGE).array();
    assertThatThrownBy(() -> MemoryShape.fromBytes(unknown)).isInstanceOf(IOException.class);
  }

  @Test
  void areasThatDifferInNothingAreOnePart() throws Exception {
    MemoryMap map =
        MemoryMap.parse(
            """
            1000-2000 r--p 00000000 00:02 12 /bin/sh
            2000-3000 r--p 00000000 00:00 0\s
            3000-5000 rw-p 00000000 00:00 0\s
            5000-6000 rw-p 00000000 00:00 0\s
            6000-8000 rw-p 00000000 00:00 0 [heap]
            9000-a000 rw-s 00000000 00:00 0\s
            b000-c000 r-xp 00000000 00:00 0 [vdso]
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
            """);

    assertThat(MemoryShape.of(3, map).parts())
        .containsExactly(
            new Part(0x1000, 0x2000, 1, Kind.OTHER),
            new Part(0x2000, 0x3000, 1, Kind.ANONYMOUS),
            new Part(0x3000, 0x6000, 3, Kind.ANONYMOUS),
            new Part(0x6000, 0x8000, 3, Kind.HEAP),
            new Part(0x9000, 0xa000, 3, Kind.OTHER),
            new Part(0xb000, 0xc000, 5, Kind.KERNELS));
    assertThat(MemoryShape.of(3, map).heapEnd()).isEqualTo(0x8000);
  }

  private static MemoryShape any(Random random) {
    var parts = new ArrayList<Part>();
    long at = 0;
    for (int i = 2 + random.nextInt(40); i > 0; i--) {
      long start = at + (long) random.nextInt(3) * PAGE * random.nextInt(1 << 20);
      at = start + (long) PAGE * (1 + random.nextInt(1 << 20));
      Kind kind = KINDS.get(random.nextInt(KINDS.size()));
      parts.add(new Part(start, at, random.nextInt(8), kind));
    }
    return new MemoryShape(random.nextInt(), parts);
  }
}
