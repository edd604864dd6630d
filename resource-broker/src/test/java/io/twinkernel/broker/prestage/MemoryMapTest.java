package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
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
                0x557c5bb5f000L, 0x557c5bba6000L, "r--p", "/usr/bin/redis-check-rdb"));
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

  @Test
  void whatIsNoMapIsRefused() {
    for (String text : new String[] {"x\n", "12-34\n", "zz-34 r--p 0 0 0 \n", "1-2 r\n"}) {
      assertThatThrownBy(() -> MemoryMap.parse(text)).isInstanceOf(IOException.class);
    }
  }
}
