package io.twinkernel.broker.memory;

import io.twinkernel.broker.memory.SystemRam.Range;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The blocks in which this kernel can let go of memory while it runs on
 * (Documentation/admin-guide/mm/memory-hotplug.rst): which of them it could spare, by what their
 * pages are in use for (Documentation/admin-guide/mm/pagemap.rst, kpageflags).
 */
public final class MemoryBlocks {
  /**
   * A block.
   *
   * @param number as sysfs counts them
   * @param movable whether it is in a zone that holds nothing else than movable pages
   * @param unclear pages of which nothing can be said; if they cannot be moved it stays
   * @param used pages that have to be moved
   */
  public record Block(int number, Range range, boolean movable, int unclear, int used) {}

  private static final int PAGE = 4096;

  // Bits of kpageflags.
  private static final long SLAB = 1L << 7;
  private static final long ON_A_LIST = 1L << 5 | 1L << 12 | 1L << 14 | 1L << 22;
  private static final long FREE = 1L << 10;
  private static final long FIXED =
      SLAB | 1L << 17 | 1L << 19 | 1L << 20 | 1L << 23 | 1L << 26 | 1L << 32;

  /**
   * A block with no more pages in use than this is as good as empty. To move a page, every CPU has
   * to forget where it was, the service's among them.
   */
  private static final int FEW = 128;

  /** One part in so many may be in use; to move more takes long while there are emptier blocks. */
  private static final int LITTLE = 8;

  private static final long FOUR_GIB = 1L << 32;

  private final Path blocks;
  private final Path flags;

  /**
   * @param root where {@code proc} and {@code sys} are
   */
  public MemoryBlocks(Path root) {
    this.blocks = root.resolve("sys/devices/system/memory");
    this.flags = root.resolve("proc/kpageflags");
  }

  /** Bytes of a block; 0 where this kernel has none. */
  public long size() throws IOException {
    Path file = blocks.resolve("block_size_bytes");
    return Files.exists(file) ? Long.parseLong(text(file), 16) : 0;
  }

  /**
   * The blocks that this kernel could let go, those first that are let go at once. Looks no further
   * than it must for so many bytes in blocks that are as good as empty.
   *
   * <p>Those above 4 GiB come first: what is below is where the next kernel can start.
   */
  public List<Block> spare(long bytes) throws IOException {
    long size = size();
    var spare = new ArrayList<Block>();
    long easy = 0;
    for (int number : online()) {
      if (easy >= bytes) {
        break;
      }
      Block block = look(number, size);
      if (block.unclear >= 0) {
        spare.add(block);
        boolean empty = block.unclear == 0 && block.used <= FEW;
        easy += empty && block.range.start() >= FOUR_GIB ? size : 0;
      }
    }
    spare.sort(
        Comparator.comparing((Block block) -> !isEasy(block))
            .thenComparing(block -> block.range.start() < FOUR_GIB)
            .thenComparingInt(Block::unclear)
            .thenComparingInt(Block::used));
    return List.copyOf(spare);
  }

  private static boolean isEasy(Block block) {
    return block.unclear == 0 && block.used < block.range.size() / PAGE / LITTLE;
  }

  /** The numbers of those in use, the highest first. */
  private List<Integer> online() throws IOException {
    var online = new ArrayList<Integer>();
    if (!Files.isDirectory(blocks)) {
      return online;
    }
    try (var entries = Files.newDirectoryStream(blocks, "memory[0-9]*")) {
      for (Path entry : entries) {
        if (text(entry.resolve("state")).equals("online")) {
          online.add(Integer.valueOf(entry.getFileName().toString().substring("memory".length())));
        }
      }
    }
    online.sort(Comparator.reverseOrder());
    return online;
  }

  /** What it is used for; -1 unclear pages where it is sure that it cannot go. */
  private Block look(int number, long size) throws IOException {
    ByteBuffer pages = ByteBuffer.allocate((int) (size / PAGE) * Long.BYTES);
    pages.order(ByteOrder.nativeOrder());
    try (FileChannel file = FileChannel.open(flags, StandardOpenOption.READ)) {
      long from = number * size / PAGE * Long.BYTES;
      while (pages.hasRemaining() && file.read(pages, from + pages.position()) > 0) {}
    }
    boolean movable = text(path(number).resolve("valid_zones")).startsWith("Movable");
    int unclear = pages.hasRemaining() ? -1 : 0;
    int used = 0;
    pages.flip();
    while (unclear >= 0 && pages.hasRemaining()) {
      long page = pages.getLong();
      if ((page & FIXED) != 0) {
        unclear = -1;
      } else if ((page & ON_A_LIST) != 0) {
        used++;
      } else if ((page & FREE) == 0) {
        unclear++;
      }
    }
    return new Block(number, new Range(number * size, size), movable, unclear, used);
  }

  /** Where sysfs has a block. */
  Path path(int number) {
    return blocks.resolve("memory" + number);
  }

  boolean isOnline(int number) throws IOException {
    return text(path(number).resolve("state")).equals("online");
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.US_ASCII).strip();
  }
}
