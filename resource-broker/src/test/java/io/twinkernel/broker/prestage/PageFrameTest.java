package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class PageFrameTest {
  private static final int PID = (int) ProcessHandle.current().pid();
  private static final int PAGES = 64;

  /** Whatever the ranges and the room: all bytes arrive, each where it was. */
  @RepeatedTest(50)
  void pagesArriveWhereTheyWere(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) PAGES * PageScan.PAGE, PageScan.PAGE);
      for (long at = 0; at < memory.byteSize(); at += Long.BYTES) {
        memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
      }
      List<Range> ranges = ranges(random, memory.address());
      long room = random.nextLong(2 * PageScan.PAGE, 12 * PageScan.PAGE);
      MemorySegment copy = arena.allocate(memory.byteSize());
      for (List<Range> part : PageFrame.split(ranges, room)) {
        assertThat(PageFrame.size(part, false)).isLessThanOrEqualTo(room);
        MemorySegment frame = arena.allocate(PageFrame.size(part, false));
        assertThat(PageFrame.write(frame, PID, part, false, false))
            .isEqualTo((int) frame.byteSize());
        PageFrame.Content content = PageFrame.read(frame);
        assertThat(content.pid()).isEqualTo(PID);
        assertThat(content.ranges()).isEqualTo(part);
        long at = 0;
        for (Range range : content.ranges()) {
          long offset = range.address() - memory.address();
          copy.asSlice(offset).copyFrom(content.data().asSlice(at, range.bytes()));
          at += range.bytes();
        }
      }
      for (Range range : ranges) {
        long offset = range.address() - memory.address();
        assertThat(
                copy.asSlice(offset, range.bytes()).mismatch(memory.asSlice(offset, range.bytes())))
            .isEqualTo(-1);
      }
    }
  }

  private static List<Range> ranges(Random random, long start) {
    var ranges = new ArrayList<Range>();
    for (int page = random.nextInt(3); page < PAGES; ) {
      int length = Math.min(1 + random.nextInt(20), PAGES - page);
      ranges.add(new Range(start + (long) page * PageScan.PAGE, (long) length * PageScan.PAGE));
      page += length + 1 + random.nextInt(3);
    }
    return ranges;
  }

  @Test
  void zerosTakeNoRoom() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      List<Range> ranges = List.of(new Range(0x1000, 1 << 20));
      MemorySegment frame = arena.allocate(PageFrame.size(ranges, true));
      PageFrame.write(frame, 7, ranges, true, false);
      assertThat(PageFrame.read(frame).zeros()).isTrue();
      assertThat(PageFrame.read(frame).ranges()).isEqualTo(ranges);
    }
  }

  /** Whatever bytes come: they are a frame or refused, and no range is empty or unaligned. */
  @RepeatedTest(200)
  void garbageIsRefused(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    byte[] bytes = new byte[random.nextInt(200)];
    random.nextBytes(bytes);
    if (bytes.length > 8 && random.nextBoolean()) {
      MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_INT_UNALIGNED, 4, random.nextInt(12));
    }
    try {
      assertThat(PageFrame.read(MemorySegment.ofArray(bytes)).ranges())
          .allMatch(range -> range.bytes() > 0 && range.bytes() % PageScan.PAGE == 0);
    } catch (IOException refused) {
      assertThat(refused).hasMessageContaining("page frame");
    }
  }

  @Test
  void aFrameThatIsCutOffIsRefused() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(PageScan.PAGE, PageScan.PAGE);
      List<Range> ranges = List.of(new Range(page.address(), PageScan.PAGE));
      MemorySegment frame = arena.allocate(PageFrame.size(ranges, false));
      PageFrame.write(frame, PID, ranges, false, false);
      assertThatThrownBy(() -> PageFrame.read(frame.asSlice(0, frame.byteSize() - 1)))
          .isInstanceOf(IOException.class);
    }
  }
}
