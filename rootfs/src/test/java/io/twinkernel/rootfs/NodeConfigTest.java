package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeConfigTest {
  @Test
  void isAFileInAnArchiveOfItsOwn() {
    NodeConfig config = NodeConfig.of(Map.of("node", "demo", "b.cpus", "3"));

    assertThat(CpioReader.read(config.cpio()))
        .last()
        .isEqualTo(
            new CpioReader.Entry("etc/twin/node.conf", 0100600, "b.cpus=3\nnode=demo\n", 0, 0));
  }

  @Test
  void refusesWhatWouldNotSurviveTheFormat() {
    assertThatThrownBy(() -> NodeConfig.of(Map.of("node", "two\nlines")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NodeConfig.of(Map.of("no name", "x")))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
