package io.twinkernel.broker.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IoMemTest {

  @Test
  void rangesAreNested() {
    IoMem iomem =
        IoMem.parse(
            """
            00001000-0009fbff : System RAM
            00100000-7ffdffff : System RAM
              30000000-6fffffff : Crash kernel
              70000000-77ffffff : Twinkernel shared
            b0000000-bfffffff : PCI MMCONFIG 0000 [bus 00-ff]
              b0000000-bfffffff : Reserved
                b0000000-bfffffff : pnp 00:04
            c000000000-ffffffffff : PCI Bus 0000:00
            """);
    assertThat(iomem.ranges()).hasSize(8);
    assertThat(iomem.named("Crash kernel"))
        .containsExactly(new IoMem.Range(1, 0x3000_0000L, 0x6fff_ffffL, "Crash kernel"));
    assertThat(iomem.named("Crash kernel").getFirst().size()).isEqualTo(1 << 30);
    assertThat(iomem.named("System RAM")).hasSize(2);
    assertThat(iomem.ranges().get(6).depth()).isEqualTo(2);
    assertThat(iomem.named("PCI Bus 0000:00").getFirst().start()).isEqualTo(0xc0_0000_0000L);
    assertThat(iomem.named("nothing")).isEmpty();
  }

  @Test
  void withoutRootThereIsNothingToSee() {
    assertThat(
            IoMem.parse("00000000-00000000 : System RAM\n  00000000-00000000 : Crash kernel\n")
                .ranges())
        .isEmpty();
  }

  @Test
  void whatIsNoRangeIsLeftOut() {
    assertThat(IoMem.parse("\n-\nx-y : z\n1-2\n : a\n 10-1g : b\n-5 : c\n").ranges()).isEmpty();
    assertThat(IoMem.parse("10-1f : last line without its end").ranges()).hasSize(1);
  }
}
