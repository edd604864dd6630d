package io.twinkernel.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.memory.SystemRam.Range;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CrashRegionTest {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  @Test
  void takesTheHighestPieceThatIsLargeEnough() {
    var memory = List.of(new Range(MIB, 1023 * MIB), new Range(1100 * MIB, 900 * MIB));

    assertThat(CrashRegion.choose(memory, 768 * MIB)).contains(new Range(1232 * MIB, 768 * MIB));
    assertThat(CrashRegion.choose(memory, 1000 * MIB)).contains(new Range(24 * MIB, 1000 * MIB));
  }

  @Test
  void neighboursAreOnePiece() {
    var memory = List.of(new Range(512 * MIB, 512 * MIB), new Range(2 * MIB, 510 * MIB));

    assertThat(CrashRegion.choose(memory, 768 * MIB)).contains(new Range(256 * MIB, 768 * MIB));
  }

  @Test
  void staysBelowFourGibibytes() {
    var memory = List.of(new Range(3 * GIB, 3 * GIB));

    assertThat(CrashRegion.choose(memory, 512 * MIB))
        .contains(new Range(4 * GIB - 512 * MIB, 512 * MIB));
    assertThat(CrashRegion.choose(List.of(new Range(4 * GIB, GIB)), 512 * MIB)).isEmpty();
  }

  @Test
  void whereNoPieceIsLargeEnoughTheLargestHasToDo() {
    var memory = List.of(new Range(MIB, 301 * MIB), new Range(1024 * MIB, 200 * MIB));

    assertThat(CrashRegion.choose(memory, 768 * MIB)).contains(new Range(2 * MIB, 300 * MIB));
  }

  @Test
  void isWholeLargePages() {
    var memory = List.of(new Range(0x1001000, 0x20000000));

    assertThat(CrashRegion.choose(memory, 100 * MIB + 1))
        .contains(new Range(0x21000000 - 102 * MIB, 102 * MIB));
  }

  @Test
  void scrapsAreNoCrashRegion() {
    assertThat(CrashRegion.choose(List.of(new Range(MIB, 60 * MIB)), 768 * MIB)).isEmpty();
    assertThat(CrashRegion.choose(List.of(), 768 * MIB)).isEmpty();
  }
}
