package io.twinkernel.broker.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciInterfaceTest {

  @TempDir Path sys;

  @Test
  void aDriverOfItsOwnOrVirtioMakesTheInterface() throws Exception {
    Files.createDirectories(sys.resolve("bus/pci/devices/0000:03:00.0/net/enp3s0"));
    Files.createDirectories(sys.resolve("bus/pci/devices/0000:81:00.0/virtio2/net/eth0"));
    Files.createDirectories(sys.resolve("bus/pci/devices/0000:82:00.0/virtio3/virtio-ports"));
    assertThat(PciInterface.find(sys, "0000:03:00.0")).contains("enp3s0");
    assertThat(PciInterface.find(sys, "0000:81:00.0")).contains("eth0");
    assertThat(PciInterface.find(sys, "0000:82:00.0")).isEmpty();
    assertThat(PciInterface.find(sys, "0000:83:00.0")).isEmpty();
  }
}
