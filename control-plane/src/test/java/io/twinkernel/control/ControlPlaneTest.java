package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole upgrades, over the real interfaces. */
class ControlPlaneTest {
  @TempDir Path folder;
  private ControlPlane plane;
  private Rest rest;

  @BeforeEach
  void start() throws IOException {
    plane =
        ControlPlane.start(
            ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN).withPorts(0, 0, 0));
    rest = new Rest(plane.restPort());
  }

  @AfterEach
  void stop() throws IOException {
    rest.close();
    plane.close();
  }

  @Test
  void anUpgradeRunsThroughAllPhases() throws IOException {
    try (var primary = ScriptedBroker.dial(plane.brokerPort(), "demo", "primary", "6.1.0")) {
      String id = rest.upgrade("demo");
      var plan = primary.obey("plan");
      assertThat(plan.arguments().toString())
          .isEqualTo(
              """
              {"image":"/boot/twin/6.12/vmlinuz","initrd":"/boot/twin/6.12/initrd","cpus":[3],\
              "buses":["0000:82"],"faults":[]}""");
      assertThat(plan.upgrade()).isEqualTo(id);
      primary.obey("prepare");
      primary.obey("boot");
      primary.obey("precopy");
      primary.expect("switch");
      assertThat(rest.show(id).path("owner").asText()).isEqualTo("undecided");
      try (var twin = ScriptedBroker.dial(plane.brokerPort(), "demo", "secondary", "6.12.0")) {
        twin.event(id, "6.1.0", "freeze", "done");
        twin.event(id, "6.12.0", "resume", "done");
        twin.obey("absorb");
        JsonNode done = rest.await(id, "COMPLETE");
        assertThat(done.path("owner").asText()).isEqualTo("secondary");
        assertThat(done.path("kernel").asText()).isEqualTo("6.12.0");
        primary.expectEnd();
      }
    }
  }
}
