package io.twinkernel.broker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class BootParametersTest {

  @Test
  void aSecondaryTellsItsModuleWhichCpusItMayStart() {
    BootParameters parameters =
        BootParameters.parse(
            "console=hvc0 maxcpus=1 twin.role=secondary twin.shared_start=0x30000000"
                + " twin.shared_size=0x4000000 twin.cpus=3,12");
    assertThat(parameters.secondary()).isTrue();
    assertThat(parameters.moduleParameters())
        .isEqualTo("role=secondary shared_start=0x30000000 shared_size=0x4000000 cpus=3,12");
  }

  @Test
  void noListIsNoCpu() {
    assertThat(
            BootParameters.parse("twin.role=secondary twin.shared_start=0x1 twin.shared_size=0x2")
                .moduleParameters())
        .isEqualTo("role=secondary shared_start=0x1 shared_size=0x2");
  }

  @Test
  void aPrimaryTellsItsModuleNothing() {
    assertThat(BootParameters.parse("quiet twin.role=primary").moduleParameters()).isEmpty();
    assertThat(BootParameters.parse("quiet").secondary()).isFalse();
  }
}
