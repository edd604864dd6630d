package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MemoryMapTest {
  /** From redis-server on Linux 6.1, shortened. */
  private static final String REDIS =
      """
      557c5bb5f000-557c5bba6000 r--p 00000000 00:02 1234                       /usr/bin/redis-check-rdb
      557c5bd6e000-557c5bd73000 rw-p 0020e000 00:02 1234                       /usr/bin/redis-check-rdb
      557c5bd73000-557c5be91000 rw-p 00000000 00:00 0\s
      557c7e4a1000-557c7e4c2000 rw-p 00000000 00:00 0                          [heap]
      7f26d8000000-7f26dc000000 ---p 00000000 00:00 0\s
      7f26e1200000-7f26e1400000 rw-s 00000000 00:01 17                         /dev/zero (deleted)
      7ffd0e5f3000-7ffd0e614000 rw-p 00000000 00:00 0                          [stack]
      7ffd0e7c5000-7ffd0e7c9000 r--p 00000000 00:00 0                          [vvar]
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
      """;

  @Test
  void areasAreWhatTheKernelSays() throws Exception {
    MemoryMap map = MemoryMap.parse(REDIS);

    assertThat(map.areas()).hasSize(9);
    assertThat(map.areas().getFirst())
        .isEqualTo(
            new MemoryMap.Area(
                0x557c5bb5f000L, 0x557c5bba6000L, "r--p", 0, 2, 1234, "/usr/bin/redis-check-rdb"));
    assertThat(map.areas().get(2).name()).isEmpty();
    assertThat(map.areas().getLast().start()).isEqualTo(0xffffffffff600000L);
    assertThat(map.areas().stream().filter(MemoryMap.Area::copied)).hasSize(5);
    assertThat(map.sharedMemory())
        .extracting(MemoryMap.Area::name)
        .containsExactly("/dev/zero (deleted)");
    assertThat(map.otherwiseShared()).isEmpty();
  }

  @Test
  void thisProcessHasOne() throws Exception {
    MemoryMap map = MemoryMap.read((int) ProcessHandle.current().pid());

    assertThat(map.areas()).anyMatch(area -> area.name().equals("[stack]"));
  }

  private static Optional<String> difference(String base, String now) throws Exception {
    return MemoryMap.parse(now).differsBeyondReshaping(MemoryMap.parse(base));
  }

  private static String with(String line, String other) {
    assertThat(REDIS).contains(line);
    return REDIS.replace(line, other);
  }

  @Test
  void memoryWithoutAFileComesAndGoes() throws Exception {
    String heap =
        "557c7e4a1000-557c7e4c2000 rw-p 00000000 00:00 0                          [heap]\n";
    String closed = "7f26d8000000-7f26dc000000 ---p 00000000 00:00 0 \n";
    String anonymous = "557c5bd73000-557c5be91000 rw-p 00000000 00:00 0 \n";
    for (String now :
        List.of(
            REDIS,
            with(heap, ""),
            with(heap, heap.replace("4c2000", "5c2000")),
            with(heap, heap + "557c7f000000-557c7f001000 rwxp 00000000 00:00 0 \n"),
            with(anonymous, anonymous.replace("rw-p", "r--p")),
            with(
                closed,
                """
                7f26d8000000-7f26d8021000 rw-p 00000000 00:00 0\s
                7f26d8021000-7f26dc000000 ---p 00000000 00:00 0\s
                """))) {
      assertThat(difference(REDIS, now)).as(now).isEmpty();
      assertThat(difference(now, REDIS)).as(now).isEmpty();
    }
  }

  @Test
  void filesOnlyGoAndAreProtected() throws Exception {
    String data = "557c5bd6e000-557c5bd73000 rw-p 0020e000 00:02 1234 ";
    String first = "557c5bd6e000-557c5bd70000 r--p 0020e000 00:02 1234 ";
    String name = "                      /usr/bin/redis-check-rdb\n";
    String hole =
        with(
            data + name,
            first
                + name
                + "557c5bd71000-557c5bd73000 rwxp 00211000 00:02 1234 "
                + name
                + "557c5bd73000-557c5bd74000 rw-p 00000000 00:00 0 \n");
    assertThat(difference(REDIS, hole)).isEmpty();
    assertThat(difference(hole, REDIS)).hasValueSatisfying(s -> assertThat(s).contains("new"));
    for (String other :
        List.of(
            data.replace("20e000", "20f000"),
            data.replace("1234", "1235"),
            data.replace("00:02", "00:03"),
            data.replace("d73000", "d74000"))) {
      assertThat(difference(REDIS, with(data, other))).as(other).isPresent();
    }
    assertThat(difference(REDIS, REDIS.replace("check-rdb\n", "check-rdb (deleted)\n")))
        .isPresent();
  }

  @Test
  void allElseStays() throws Exception {
    for (String line :
        List.of(
            "7f26e1200000-7f26e1400000 rw-s 00000000 00:01 17                         /dev/zero (deleted)",
            "7ffd0e5f3000-7ffd0e614000 rw-p 00000000 00:00 0                          [stack]",
            "7ffd0e7c5000-7ffd0e7c9000 r--p 00000000 00:00 0                          [vvar]")) {
      String gone = with(line + "\n", "");
      assertThat(difference(REDIS, gone)).as(line).isPresent();
      assertThat(difference(gone, REDIS)).as(line).isPresent();
      for (String change : List.of("00-7f->01-7f", " r-> -", "000000 00:01->001000 00:01")) {
        String[] parts = change.split("->", 2);
        assertThat(difference(REDIS, with(line, line.replace(parts[0], parts[1]))).isPresent())
            .as("%s, %s", line, change)
            .isEqualTo(line.contains(parts[0]));
      }
    }
    String named = "7f26e1500000-7f26e1600000 rw-p 00000000 00:00 0    [anon:arena]\n";
    String stack = "7ffd0e5f3000-";
    assertThat(difference(REDIS, with(stack, named + stack))).isPresent();
    assertThat(difference(with(stack, named + stack), with(stack, named + stack))).isEmpty();
  }

  @Test
  void itsSizeMatters() throws Exception {
    String grown = with("7ffd0e5f3000-7ffd0e614000 rw-p", "7ffd0e5f2000-7ffd0e614000 rw-p");
    assertThat(difference(REDIS, grown).orElseThrow()).contains("[stack]");
  }

  @Test
  void whatIsNoMapIsRefused() {
    for (String text :
        new String[] {
          "x\n", "12-34\n", "zz-34 r--p 0 0 0 \n", "1-2 r\n", "1-2 r--p 0 00:00 x \n"
        }) {
      assertThatThrownBy(() -> MemoryMap.parse(text)).isInstanceOf(IOException.class);
    }
  }
}
