package io.twinkernel.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.twinkernel.broker.memory.MemoryBlocks.Block;
import io.twinkernel.broker.memory.SystemRam.Range;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of files as the kernel has them, below another root. */
final class MemoryLoanTest {
  private static final int PAGES = 0x8000;
  private static final long BLOCK = 128L << 20;
  private static final long FREE = 1 << 10;
  private static final long IN_USE = 1 << 5;
  private static final long RESERVED = 1L << 32;

  /** The first block above 4 GiB. */
  private static final int HIGH = 32;

  @TempDir Path root;

  @BeforeEach
  void blocks() throws IOException {
    Files.createDirectories(folder());
    Files.writeString(folder().resolve("block_size_bytes"), "8000000\n");
    Files.createDirectories(root.resolve("proc"));
    Files.createDirectories(root.resolve("run"));
    block(HIGH + 3, "online", "Normal", RESERVED, 1);
    block(HIGH + 2, "online", "Normal", IN_USE, 100);
    block(HIGH + 1, "online", "Movable", IN_USE, PAGES / 2);
    block(HIGH, "offline", "Normal", FREE, 0);
    block(2, "online", "DMA32", 0, 3);
    block(1, "online", "DMA32", FREE, 0);
  }

  @Test
  void thoseThatGoAtOnceComeFirstAndThoseThatCannotGoNotAtAll() throws Exception {
    assertThat(new MemoryBlocks(root).spare(Long.MAX_VALUE))
        .containsExactly(
            new Block(HIGH + 2, range(HIGH + 2), false, 0, 100),
            new Block(1, range(1), false, 0, 0),
            new Block(HIGH + 1, range(HIGH + 1), true, 0, PAGES / 2),
            new Block(2, range(2), false, 3, 0));
    assertThat(new MemoryBlocks(root).spare(BLOCK)).hasSize(1);
    assertThat(new MemoryBlocks(root).spare(2 * BLOCK)).hasSize(4);
    assertThat(new MemoryBlocks(root).size()).isEqualTo(BLOCK);
  }

  @Test
  void whatIsLentIsWrittenDownAndComesBackToItsZone() throws Exception {
    MemoryLoan loan = loan();
    loan.lend(3 * BLOCK);

    assertThat(loan.ranges()).containsExactly(range(HIGH + 2), range(1), range(HIGH + 1));
    assertThat(loan.total()).isEqualTo(3 * BLOCK);
    assertThat(loan.moved()).isEqualTo(100 + PAGES / 2);
    assertThat(state(HIGH + 1)).isEqualTo("offline");
    assertThat(state(2)).isEqualTo("online");

    // By another program, which knows only what is written down.
    loan().takeBack();
    assertThat(state(HIGH + 2)).isEqualTo("online_kernel");
    assertThat(state(HIGH + 1)).isEqualTo("online_movable");
    assertThat(state(HIGH)).isEqualTo("offline");
    assertThat(root.resolve("run/lent")).doesNotExist();
    loan().takeBack();
  }

  @Test
  void whoCannotLendEnoughSaysHowMuchItCould() throws Exception {
    Files.delete(folder().resolve("memory1/state"));
    Files.delete(folder().resolve("memory1/valid_zones"));
    Files.delete(folder().resolve("memory1"));

    assertThatIOException()
        .isThrownBy(() -> loan().lend(4 * BLOCK))
        .withMessageContaining("of 512 MiB")
        .withMessageContaining("could let go 384");
  }

  private MemoryLoan loan() {
    return new MemoryLoan(new MemoryBlocks(root), root.resolve("run/lent"));
  }

  private Path folder() {
    return root.resolve("sys/devices/system/memory");
  }

  private String state(int number) throws IOException {
    return Files.readString(folder().resolve("memory" + number + "/state")).strip();
  }

  private static Range range(int number) {
    return new Range(number * BLOCK, BLOCK);
  }

  /** Of its pages so many are of a kind, the others free. */
  private void block(int number, String state, String zone, long kind, int count)
      throws IOException {
    Path block = Files.createDirectories(folder().resolve("memory" + number));
    Files.writeString(block.resolve("state"), state);
    Files.writeString(block.resolve("valid_zones"), zone + "\n");
    ByteBuffer flags = ByteBuffer.allocate(PAGES * Long.BYTES).order(ByteOrder.nativeOrder());
    for (int page = 0; page < PAGES; page++) {
      flags.putLong(page < count ? kind : FREE);
    }
    try (var file = new RandomAccessFile(root.resolve("proc/kpageflags").toFile(), "rw")) {
      file.seek((long) number * PAGES * Long.BYTES);
      file.write(flags.array());
    }
  }
}
