package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.qemu.MachineSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How fast messages get from kernel A to kernel B: B boots, the brokers measure, and B is stopped
 * again.
 */
final class LinkRun {

  /** In the run's output folder. */
  static final String FILE = "link.json";

  /** Round trips of each kind, unless they take too long. */
  private static final int SAMPLES = 4000;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final RunPlan plan;
  private final Machine machine;
  private final RestClient rest;
  private final int bridgePort;
  private final Narrator narrator;
  private final AcceleratorProbe.Found accelerator;

  LinkRun(
      RunPlan plan,
      Machine machine,
      RestClient rest,
      int bridgePort,
      Narrator narrator,
      AcceleratorProbe.Found accelerator) {
    this.plan = plan;
    this.machine = machine;
    this.rest = rest;
    this.bridgePort = bridgePort;
    this.narrator = narrator;
    this.accelerator = accelerator;
  }

  int run() throws HarnessException, IOException {
    var upgrade = new UpgradeRun(machine, rest, bridgePort, narrator);
    upgrade.runAndRollBack(
        Map.of(
            "node",
            "demo",
            "image",
            plan.twinImage(),
            "initrd",
            plan.twinInitrd(),
            "cpus",
            plan.twinCpus(),
            "buses",
            List.of(MachineSpec.TWIN_BUS),
            "measure_link",
            SAMPLES,
            "until",
            "boot"));
    JsonNode figures = figures(upgrade);
    Path file = Path.of(plan.out()).resolve(FILE);
    Files.writeString(file, JSON.writeValueAsString(json(figures)) + "\n");
    narrator.plain(LinkTable.of(accelerator.accelerator().label(), figures));
    narrator.plain("Figures: " + file);
    return 0;
  }

  private static JsonNode figures(UpgradeRun upgrade) throws HarnessException {
    if (!upgrade.state().equals("ROLLED_BACK")) {
      throw new HarnessException.Control(
          "the measurement ended " + upgrade.state() + ": " + upgrade.failure());
    }
    return upgrade.events().stream()
        .filter(event -> event.is("boot", "done"))
        .map(UpgradeEvent::detail)
        .filter(detail -> detail.has("link"))
        .findFirst()
        .map(detail -> detail.path("link"))
        .orElseThrow(
            () ->
                new HarnessException.Control(
                    "B did not boot, or measured nothing: " + upgrade.failure()));
  }

  private Map<String, Object> json(JsonNode figures) {
    var json = new LinkedHashMap<String, Object>();
    json.put("from", plan.from());
    json.put("to", plan.to());
    json.put("accelerator", accelerator.accelerator().label());
    json.put("emulator", "QEMU " + plan.emulator().version());
    json.put("host_cpus", Runtime.getRuntime().availableProcessors());
    json.put("cpus", plan.cpus());
    json.put("twin_cpus", plan.twinCpus().size());
    json.put("ended", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    json.put("link", figures);
    return json;
  }
}
