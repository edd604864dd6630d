package io.twinkernel.broker.memory;

import io.twinkernel.broker.memory.MemoryBlocks.Block;
import io.twinkernel.broker.memory.SystemRam.Range;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Memory that this kernel lets go of for the one beside it, in whole blocks. Each is written down
 * before: a program that starts anew after this one died can take them back.
 */
public final class MemoryLoan {
  private static final Path RECORD = Path.of("/run/twin/lent-memory");

  /**
   * The kernel tries without end to move a block's pages (offline_pages(), mm/memory_hotplug.c).
   */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final MemoryBlocks blocks;
  private final Path record;
  private final Map<Integer, Range> lent = new LinkedHashMap<>();
  private final List<String> kept = new ArrayList<>();
  private int moved;

  /** Nothing is lent so far. */
  public MemoryLoan() {
    this(new MemoryBlocks(Path.of("/")), RECORD);
  }

  MemoryLoan(MemoryBlocks blocks, Path record) {
    this.blocks = blocks;
    this.record = record;
  }

  /**
   * Lets go of blocks until there are so many bytes. What was let go when this fails is in {@link
   * #ranges}, too.
   *
   * @throws IOException if this kernel needs too many of them itself
   */
  public void lend(long bytes) throws IOException, InterruptedException {
    for (Block block : blocks.spare(bytes)) {
      if (total() >= bytes) {
        return;
      }
      String line = block.number() + (block.movable() ? " online_movable\n" : " online_kernel\n");
      Files.writeString(
          record,
          line,
          StandardCharsets.US_ASCII,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
      String why = offline(block.number());
      if (why.isEmpty()) {
        lent.put(block.number(), block.range());
        moved += block.used();
      } else {
        kept.add("memory" + block.number() + ": " + why);
      }
    }
    if (total() < bytes) {
      throw new IOException(
          "of "
              + (bytes >> 20)
              + " MiB that the other kernel needs this one could let go "
              + (total() >> 20)
              + "; "
              + String.join("; ", kept));
    }
  }

  /** What the other kernel can have. */
  public List<Range> ranges() {
    return List.copyOf(lent.values());
  }

  /** Bytes in all. */
  public long total() {
    return SystemRam.total(ranges());
  }

  /** How many pages were in use in what was let go, and had to be moved. */
  public int moved() {
    return moved;
  }

  /** Which blocks could not be let go, and why. */
  public List<String> kept() {
    return List.copyOf(kept);
  }

  /** Empty if it worked, else why not. */
  private String offline(int number) throws IOException, InterruptedException {
    Path state = blocks.path(number).resolve("state");
    // A channel of java.nio: an interrupt reaches a thread in the kernel, which gives up then.
    try (ExecutorService thread =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().name("offline").factory())) {
      Future<Integer> written = thread.submit(() -> writeState(state));
      try {
        written.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return "";
      } catch (TimeoutException e) {
        written.cancel(true);
      } catch (ExecutionException e) {
        Throwable cause = e.getCause();
        return String.valueOf(cause == null ? e : cause.getMessage());
      } catch (InterruptedException e) {
        written.cancel(true);
        throw e;
      }
    }
    return blocks.isOnline(number) ? "pages in it do not come free" : "";
  }

  private static int writeState(Path state) throws IOException {
    try (FileChannel file = FileChannel.open(state, StandardOpenOption.WRITE)) {
      return file.write(ByteBuffer.wrap("offline".getBytes(StandardCharsets.US_ASCII)));
    }
  }

  /**
   * Takes back what is written down as lent; the other kernel must not run any more, nor devices
   * that it drove write. Where nothing is, does nothing.
   *
   * @throws IOException naming the blocks that did not come back
   */
  public void takeBack() throws IOException {
    lent.clear();
    if (!Files.exists(record)) {
      return;
    }
    var failures = new ArrayList<String>();
    for (String line : Files.readAllLines(record, StandardCharsets.US_ASCII)) {
      int space = line.indexOf(' ');
      if (space > 0) {
        try {
          online(Integer.parseInt(line, 0, space, 10), line.substring(space + 1));
        } catch (IOException e) {
          failures.add(String.valueOf(e.getMessage()));
        }
      }
    }
    if (!failures.isEmpty()) {
      throw new IOException("memory stays offline: " + String.join("; ", failures));
    }
    Files.delete(record);
  }

  private void online(int number, String how) throws IOException {
    if (!blocks.isOnline(number)) {
      SysFiles.write(blocks.path(number).resolve("state").toString(), how);
    }
  }
}
