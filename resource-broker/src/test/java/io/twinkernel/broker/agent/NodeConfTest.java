package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class NodeConfTest {
  private static final String SOUND =
      """
      node=demo
      control.host=10.99.0.1
      control.port=7441
      control.token=abc
      service.interface.pci=0000:81:00.0
      b.buses=0000:82, 0000:83
      b.cpus=3 2
      """;

  @Test
  void readsPropertiesAndFillsGaps() throws Exception {
    NodeConf conf = NodeConf.parse(SOUND);
    assertThat(conf.buses()).containsExactly("0000:82", "0000:83");
    assertThat(conf.cpus()).containsExactly(3, 2);
    assertThat(conf.serviceCgroup()).hasToString("/sys/fs/cgroup/service");
    assertThat(conf.sharedBytes()).isEqualTo(128L << 20);
    assertThat(conf.earlyConsole()).isEmpty();
    assertThat(conf.servicePractice()).isEmpty();
    assertThat(conf.measuredNics()).isEmpty();
    assertThat(conf.practice()).isEqualTo(20);
    assertThat(conf.interruptsPass()).isFalse();
    assertThat(NodeConf.parse(SOUND + "iommu.interrupts=pass\n").interruptsPass()).isTrue();
    assertThat(conf.imageHasRules()).isFalse();
    assertThat(NodeConf.parse(SOUND + "network.rules=image\n").imageHasRules()).isTrue();
  }

  @Test
  void knowsOnWhichNicOfTheNetworkTheServiceIs() throws Exception {
    assertThat(NodeConf.parse(SOUND).servicePorts()).isEmpty();
    String ports = SOUND + "service.ports=0000:82:00.1 0000:83:00.1\n";
    NodeConf moved = NodeConf.parse(NodeConf.withService(ports, "0000:82:00.1"));
    assertThat(moved.serviceFunction()).isEqualTo("0000:82:00.1");
    assertThat(moved.servicePorts()).containsExactly("0000:82:00.1", "0000:83:00.1");
    assertThat(NodeConf.withService(ports, "0000:82:00.1"))
        .isEqualTo(ports.replace("0000:81:00.0", "0000:82:00.1"));
  }

  /** Blank lines and comments around it, and properties whose names begin like its, stay. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "service.interface.pci=0000:81:00.0",
        "service.interface.pci = 0000:81:00.0",
        "  service.interface.pci: 0000:81:00.0",
        "\tservice.interface.pci\t0000:81:00.0"
      })
  void changesNothingButTheServicesNic(String line) {
    String around = "node=demo\n\n# where it is\n\n%s\n\nservice.interface.pci.old=1\n";
    assertThat(NodeConf.withService(around.formatted(line), "0000:82:00.1"))
        .isEqualTo(around.formatted("service.interface.pci=0000:82:00.1"));
  }

  @Test
  void namesThePropertyThatIsMissingOrMalformed() {
    assertThatThrownBy(() -> NodeConf.parse(SOUND.replace("control.token=abc\n", "")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'control.token'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND.replace("7441", "many")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'control.port'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND.replace("3 2", "3 two")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'b.cpus'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "measure.nics=0000:82:00.1\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'measure.nics'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "switch.practice=0\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'switch.practice'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "iommu.interrupts=on\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'iommu.interrupts'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "network.rules=moved\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'network.rules' is 'moved'");
  }

  @Test
  void takesAPanicOverOnlyIfItIsToldToAndKnowsWhatToStart() throws Exception {
    assertThat(NodeConf.parse(SOUND).failover()).isEqualTo(Failover.Policy.STAY);
    NodeConf adopting = NodeConf.parse(SOUND + "failover=adopt\nservice.start=/etc/twin/service\n");
    assertThat(adopting.failover()).isEqualTo(Failover.Policy.ADOPT);
    assertThat(adopting.serviceStart()).isEqualTo("/etc/twin/service");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "failover=adopt\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'service.start'");
    assertThatThrownBy(() -> NodeConf.parse(SOUND + "failover=perhaps\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'perhaps', neither adopt nor stay");
  }
}
