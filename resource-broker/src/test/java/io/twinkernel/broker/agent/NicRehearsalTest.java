package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NicRehearsalTest {
  private static final String SERVICE = "0000:81:00.0";

  @TempDir private Path devices;

  @Test
  void practisesOnlyOnTheKindOfNicThatTheServiceHas() throws IOException {
    function(SERVICE, "0x1041", "0x0001");
    function("0000:83:00.1", "0x1041", "0x0001");
    function("0000:82:00.1", "0x1041", "0x0001");
    function("0000:82:00.0", "0x1043", "0x0001");
    function("0000:84:00.0", "0x1041", "0x1100");

    assertThat(NicRehearsal.sameKind(devices, SERVICE))
        .containsExactly("0000:82:00.1", "0000:83:00.1");
  }

  @Test
  void practisesOnNothingWhereTheServicesNicIsNotKnownYet() throws IOException {
    function("0000:82:00.1", "0x1041", "0x0001");

    assertThat(NicRehearsal.sameKind(devices, SERVICE)).isEmpty();
  }

  private void function(String address, String device, String subsystem) throws IOException {
    Path folder = Files.createDirectory(devices.resolve(address));
    Files.writeString(folder.resolve("vendor"), "0x1af4\n");
    Files.writeString(folder.resolve("device"), device + "\n");
    Files.writeString(folder.resolve("subsystem_vendor"), "0x1af4\n");
    Files.writeString(folder.resolve("subsystem_device"), subsystem + "\n");
  }
}
