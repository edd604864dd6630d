package io.twinkernel.broker.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class KernelCommandLineTest {

  @Test
  void parametersComeInTheirOrder() throws ImageException {
    assertThat(
            new KernelCommandLine(2047)
                .add("console", "hvc0")
                .add("console", "ttyS1,115200")
                .add("maxcpus", 1)
                .addHex("acpi_rsdp", 0x3000_0000L)
                .reserve(0x40000, 0x5f000)
                .reserve(0x98000, 0x6000)
                .add("nokaslr")
                .add("twin.note", "two words")
                .build())
        .isEqualTo(
            "console=hvc0 console=ttyS1,115200 maxcpus=1 acpi_rsdp=0x30000000"
                + " memmap=0x5f000$0x40000 memmap=0x6000$0x98000 nokaslr twin.note=\"two words\"");
  }

  @Test
  void whatOneKernelIsKeptFromTheNextOneGets() throws ImageException {
    var line = new KernelCommandLine(2047).add("memmap", "1G@4G").reserve(0x98000, 0x7000);
    var ranges = KernelCommandLine.reserved(line.add("quiet").build() + "\n");

    assertThat(ranges).containsExactly(new KernelCommandLine.Reserved("0x98000", "0x7000"));
    assertThat(new KernelCommandLine(2047).release(ranges.getFirst()).build())
        .isEqualTo("memmap=0x7000%0x98000-2+1");
  }

  @Test
  void nothingComesTwice() {
    KernelCommandLine line = new KernelCommandLine(2047).add("initcall_blacklist", "a");
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("initcall_blacklist", "b"));
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("initcall-blacklist", "b"));
  }

  @Test
  void whatCannotBeExpressedIsRefused() {
    KernelCommandLine line = new KernelCommandLine(2047);
    assertThatIllegalArgumentException().isThrownBy(() -> line.add(""));
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("a b"));
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("a=b", "c"));
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("a", "say \"hi\""));
    assertThatIllegalArgumentException().isThrownBy(() -> line.add("a", "b\nc"));
  }

  @Test
  void theKernelsLimitHolds() throws ImageException {
    assertThat(new KernelCommandLine(5).add("a", "bcd").build()).isEqualTo("a=bcd");
    assertThatThrownBy(() -> new KernelCommandLine(4).add("a", "bcd").build())
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("5 characters")
        .hasMessageContaining("takes 4");
  }
}
