package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A shell that stands still, and a fork of it as its copy, both of which make real calls. */
final class MemoryReshapingTest {
  private static final long PAGE = PageScan.PAGE;
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int EXECUTE = 4;

  // Pages where all happens: fewer than a page table has, or mremap(2) moves these as a whole,
  // which no soft-dirty bit tells of.
  private static final int ANONYMOUS = 256;
  private static final int FILE = 24;
  private static final int WINDOW = ANONYMOUS + FILE;
  private static final int HEAP = 32;

  private Canary canary;
  private ForkSnapshot fork;
  private Tracee source;
  private Tracee copy;
  private PageScan scan;
  private MemoryMap base;
  private long window;
  private long heap;

  /** Pages that were written since the last look, for kernels that do not tell. */
  private final TreeSet<Long> written = new TreeSet<>();

  private boolean told;

  @BeforeEach
  void start() throws Exception {
    canary = Canary.hatch();
    int pid = canary.pid();
    try (var setUp = Tracee.hold(pid)) {
      window = setUp.map(0, WINDOW * PAGE, READ | WRITE);
      long program = setUp.open("/proc/self/exe", window);
      setUp.unmap(window, WINDOW * PAGE);
      setUp.map(file(), FILE * PAGE, READ | WRITE, program);
      heap = setUp.brk(0);
      setUp.brk(heap + HEAP / 2 * PAGE);
      setUp.map(window + PAGE, PAGE, READ | WRITE);
      setUp.write(window + PAGE, new byte[] {1});
      PageScan.forget(pid);
      setUp.write(window + PAGE, new byte[] {2});
    }
    fork = ForkSnapshot.take(pid, List.of(pid), Set.of(pid), OwnCalls.UNTOLD, false);
    source = Tracee.hold(pid);
    copy = Tracee.hold(fork.pid());
    base = MemoryMap.read(pid);
    scan = PageScan.open(pid, base);
    scan.noteFork(fork.pid());
    told = scan.next().dirty().stream().anyMatch(range -> meets(range, window + PAGE));
  }

  private static boolean meets(Range range, long address) {
    return range.address() <= address && address < range.address() + range.bytes();
  }

  @AfterEach
  void end() throws Exception {
    scan.close();
    source.close();
    copy.close();
    fork.close();
    canary.close();
  }

  private long file() {
    return window + ANONYMOUS * PAGE;
  }

  /** What is done when the process has stopped. */
  private void follow() throws IOException {
    MemoryMap map = MemoryMap.read(source.pid());
    assertThat(map.differsBeyondReshaping(base)).isEmpty();
    if (!map.text().equals(base.text())) {
      scan.remap(map);
      reshape(map);
      base = map;
    }
    PageScan.Changes changes = scan.next();
    var dirty = new ArrayList<>(changes.dirty());
    if (!told) {
      addWritten(map, dirty);
    }
    written.clear();
    copy.take(source, new PageScan.Changes(dirty, changes.gone()));
  }

  private void reshape(MemoryMap map) throws IOException {
    byte[] message = MemoryShape.of(copy.pid(), map).toBytes();
    MemoryReshaping.apply(copy.remote(), MemoryShape.fromBytes(message));
  }

  private void addWritten(MemoryMap map, List<Range> dirty) {
    for (long page : written) {
      for (MemoryMap.Area area : map.areas()) {
        if (area.meets(page, PAGE) && area.copied()) {
          dirty.add(new Range(page, PAGE));
        }
      }
    }
  }

  private void write(long page, Random random) throws IOException {
    byte[] bytes = new byte[1 + random.nextInt(64)];
    random.nextBytes(bytes);
    source.write(page + random.nextInt(1000), bytes);
    written.add(page);
  }

  /** Each page of both, as what and how it is mapped. */
  private static NavigableMap<Long, String> pages(Tracee process) throws IOException {
    var pages = new TreeMap<Long, String>();
    for (MemoryMap.Area area : MemoryMap.read(process.pid()).areas()) {
      for (long page = Math.max(0, area.start()); page < area.end(); page += PAGE) {
        long offset = area.ofFile() ? area.offset() + page - area.start() : 0;
        pages.put(page, area.permissions() + " " + area.inode() + " " + offset);
      }
    }
    return pages;
  }

  private void assertSame(String when) throws IOException {
    NavigableMap<Long, String> pages = pages(source);
    assertThat(pages(copy)).as(when).isEqualTo(pages);
    assertSame(when, pages, window, window + WINDOW * PAGE);
    assertSame(when, pages, heap, heap + HEAP * PAGE);
  }

  private void assertSame(String when, NavigableMap<Long, String> pages, long from, long to)
      throws IOException {
    for (var page : pages.subMap(from, to).entrySet()) {
      // What is closed may have content that counts only when it is opened.
      if (!page.getValue().startsWith("---")) {
        assertThat(copy.read(page.getKey(), PAGE))
            .as("%s: %x of %x", when, page.getKey(), window)
            .isEqualTo(source.read(page.getKey(), PAGE));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void theCopyBecomesWhatTheProcessIs(long seed) throws Exception {
    var random = new Random(seed);
    assertSame("at first");
    for (int round = 0; round < 80; round++) {
      for (int i = random.nextInt(8); i >= 0; i--) {
        try {
          change(random);
        } catch (SyscallException notPossible) {
          // Nothing was there to be changed, or not all of it.
        }
      }
      follow();
      assertSame("seed " + seed + ", round " + round);
    }
    // What cannot be seen of the break is where it is within a hole.
    source.brk(source.brk(0) + PAGE);
    follow();
    assertThat(copy.brk(0)).isEqualTo(source.brk(0));
  }

  private void change(Random random) throws IOException {
    int pages = 1 + random.nextInt(random.nextInt(10) == 0 ? 100 : 10);
    long at = window + random.nextInt(WINDOW - pages + 1) * PAGE;
    long bytes = pages * PAGE;
    switch (random.nextInt(9)) {
      case 0, 1 -> source.map(at, bytes, protection(random));
      case 2 -> source.unmap(at, bytes);
      case 3 -> source.protect(at, bytes, protection(random));
      case 4 -> source.drop(at, bytes);
      case 5 -> move(random, Math.min(pages, 40));
      case 6 -> source.brk(heap + random.nextInt(HEAP) * PAGE);
      case 7 -> changeHeap(random);
      default -> {
        for (long page = at; page < at + bytes; page += PAGE) {
          write(page, random);
        }
      }
    }
  }

  private static int protection(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> READ;
      case 2 -> READ | EXECUTE;
      default -> READ | WRITE;
    };
  }

  /** No file's pages: these are not to be elsewhere. */
  private void move(Random random, int pages) throws IOException {
    long from = window + random.nextInt(ANONYMOUS - pages + 1) * PAGE;
    long to = window + random.nextInt(WINDOW - pages + 1) * PAGE;
    source.move(from, pages * PAGE, to);
    for (int i = 0; i < pages; i++) {
      written.add(to + i * PAGE);
    }
  }

  /** But for its last page, without which it could not be seen where it ends. */
  private void changeHeap(Random random) throws IOException {
    int pages = (int) ((source.brk(0) - heap) / PAGE) - 1;
    if (pages < 1) {
      return;
    }
    int first = random.nextInt(pages);
    int count = 1 + random.nextInt(pages - first);
    long at = heap + first * PAGE;
    switch (random.nextInt(4)) {
      case 0 -> source.unmap(at, count * PAGE);
      case 1 -> source.protect(at, count * PAGE, protection(random));
      case 2 -> source.map(at, count * PAGE, protection(random));
      default -> write(at, random);
    }
  }

  @Test
  void registersStayWhatTheyWere() throws Exception {
    byte[] before = registers();
    source.map(window, 8 * PAGE, READ);
    source.brk(heap + HEAP * PAGE);
    follow();
    assertThat(registers()).isEqualTo(before);
    assertSame("afterwards");
  }

  private byte[] registers() throws IOException {
    copy.close();
    byte[] registers = ThreadRegisters.capture(List.of(fork.pid())).getFirst().registers();
    copy = Tracee.hold(fork.pid());
    return registers;
  }

  @Test
  void aWrittenPageThatIsClosedComesAlong() throws Exception {
    source.map(window, 2 * PAGE, READ | WRITE);
    follow();
    source.write(window, new byte[] {7});
    written.add(window);
    source.protect(window, 2 * PAGE, 0);
    follow();
    assertThat(copy.read(window, 2 * PAGE)).isEqualTo(source.read(window, 2 * PAGE));
    source.protect(window, PAGE, READ);
    follow();
    assertSame("when it is opened");
    assertThat(copy.read(window, 1)).containsExactly(7);
  }

  /** What no call can make is named, and what is the kernel's is left alone. */
  @Test
  void whatCannotBeIsRefused() throws Exception {
    String text = MemoryMap.read(copy.pid()).text();
    String file = "10000-11000 r--p 00000000 00:02 12   /bin/other\n";
    assertThatThrownBy(() -> reshape(MemoryMap.parse(file + text)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("10000-11000 r-- OTHER");
    String vdso = text.lines().filter(line -> line.endsWith("[vdso]")).findFirst().orElseThrow();
    reshape(MemoryMap.parse(text.replace(vdso + "\n", "")));
    assertThat(MemoryMap.read(copy.pid()).text()).isEqualTo(text);
    assertThatThrownBy(
            () -> reshape(MemoryMap.parse(text.replace(vdso, vdso.replace("[vdso]", "")))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("kernel's own");
  }
}
