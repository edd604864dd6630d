package io.twinkernel.control.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.control.Rest;
import io.twinkernel.control.ScriptedBroker;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.HttpResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestApiTest {
  private ControlPlane plane;
  private Rest rest;

  private Path journals;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    journals = folder;
    plane =
        ControlPlane.start(
            ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN).withPorts(0, 0, 0));
    rest = new Rest(plane.restPort());
  }

  @AfterAll
  void stop() throws IOException {
    rest.close();
    plane.close();
  }

  private static void failure(HttpResponse<Buffer> response, int status, String code, String why) {
    JsonNode body = Rest.json(response);
    assertThat(response.statusCode()).as("%s", body).isEqualTo(status);
    assertThat(body.path("code").asText()).isEqualTo(code);
    assertThat(body.path("why").asText()).contains(why);
    assertThat(body.path("what").asText()).isNotEmpty();
    assertThat(body.path("todo").asText()).isNotEmpty();
    assertThat(response.getHeader("Content-Type")).isEqualTo("application/json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"node\":\"demo\"|\"node\":\"a/b\"|'node'",
        "\"node\":\"demo\",||'node'",
        "/boot/twin/6.12/vmlinuz|vmlinuz|'image'",
        "/boot/twin/6.12/vmlinuz|/boot/../etc/shadow|'image'",
        "/boot/twin/6.12/initrd||'initrd'",
        "[3]|[-1]|'cpus'",
        "[3]|[3,3]|'cpus'",
        "[3]|[\"three\"]|cpus",
        "[3]|[3.5]|cpus",
        "[3]|3|cpus",
        "[3]|[null]|'cpus'",
        "0000:82|82|'buses'",
        "{\"node\"|{\"faults\":[\"explode\"],\"node\"|'faults'",
        "{\"node\"|{\"faults\":[\"a-hangs@freeze\"],\"node\"|'faults'",
        "{\"node\"|{\"faults\":[\"b-fails\"],\"node\"|'faults'",
        "{\"node\"|{\"measure_link\":-1,\"node\"|'measure_link'",
        "{\"node\"|{\"until\":\"never\",\"node\"|no phase 'never'",
        "{\"node\"|{\"until\":\"rollback\",\"node\"|'until'",
        "{\"node\"|{\"speed\":9,\"node\"|there is no field 'speed'",
        "{\"node\"|{\"node\":\"x\",\"node\"|Duplicate",
        "}|,|not JSON",
        "{\"node\"|[{\"node\"|",
      })
  void aBadRequestIsRefusedWithTheField(String from, String to, String why) {
    String body = Rest.request("demo").replace(from, to == null ? "" : to);
    assertThat(body).isNotEqualTo(Rest.request("demo"));
    failure(rest.post("/api/v1/upgrades", body), 400, "invalid-request", why == null ? "" : why);
  }

  @Test
  void emptyBodiesAreRefused() {
    failure(rest.post("/api/v1/upgrades", ""), 400, "invalid-request", "");
    failure(rest.post("/api/v1/upgrades", "null"), 400, "invalid-request", "");
    failure(rest.post("/api/v1/upgrades", "\u0000"), 400, "invalid-request", "not JSON");
  }

  @Test
  void anotherContentTypeIsRefused() {
    failure(
        Rest.await(
            rest.client()
                .post("/api/v1/upgrades")
                .putHeader("Content-Type", "text/plain")
                .sendBuffer(Buffer.buffer(Rest.request("demo")))),
        415,
        "not-json",
        "text/plain");
  }

  @Test
  void pagesOfOtherSitesAreRefused() {
    for (String origin : List.of("http://evil.example", "null", "http://127.0.0.1:1")) {
      failure(
          Rest.await(
              rest.client().post("/api/v1/upgrades/1/rollback").putHeader("Origin", origin).send()),
          403,
          "foreign-page",
          "another site");
    }
    failure(
        Rest.await(rest.client().get("/health").putHeader("Host", "evil.example").send()),
        403,
        "foreign-page",
        "host name");
    assertThat(
            Rest.await(
                    rest.client()
                        .get("/health")
                        .putHeader("Origin", "http://127.0.0.1:" + plane.restPort())
                        .send())
                .statusCode())
        .isEqualTo(200);
  }

  @Test
  void aHugeBodyIsRefused() {
    failure(rest.post("/api/v1/upgrades", " ".repeat(100_000)), 413, "too-large", "65536");
  }

  @Test
  void anUnknownNodeIsRefused() {
    failure(
        rest.post("/api/v1/upgrades", Rest.request("nobody")), 404, "node-unknown", "dialled in");
  }

  @Test
  void aNodeWhoseBrokerIsAwayIsRefused() throws IOException {
    ScriptedBroker.dial(plane.brokerPort(), "gone", "primary", "k").close();
    JsonNode node = node("gone");
    while (node.path("connected").asBoolean()) {
      node = node("gone");
    }
    failure(rest.post("/api/v1/upgrades", Rest.request("gone")), 409, "node-away", "not connected");
  }

  private JsonNode node(String name) {
    for (JsonNode node : Rest.json(rest.get("/api/v1/nodes"))) {
      if (node.path("node").asText().equals(name)) {
        return node;
      }
    }
    throw new AssertionError("no node " + name);
  }

  @Test
  void aJournalThatCannotBeWrittenIsToldAndNothingIsStarted() throws IOException {
    Files.createFile(journals.resolve("blocked"));
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "blocked", "primary", "k")) {
      failure(
          rest.post("/api/v1/upgrades", Rest.request("blocked")),
          507,
          "journal-unwritable",
          "cannot be made");
      Files.delete(journals.resolve("blocked"));
      rest.upgrade("blocked");
      broker.expect("plan");
    }
  }

  @Test
  void unknownUpgradesPathsAndMethodsAreRefused() {
    failure(rest.get("/api/v1/upgrades/ffff"), 404, "upgrade-unknown", "");
    failure(rest.get("/api/v1/upgrades/ffff/events"), 404, "upgrade-unknown", "");
    failure(rest.post("/api/v1/upgrades/ffff/rollback", ""), 404, "upgrade-unknown", "");
    failure(rest.post("/api/v1/upgrades/ffff/continue", ""), 404, "upgrade-unknown", "");
    failure(rest.get("/api/v2/upgrades"), 404, "no-such-resource", "");
    failure(Rest.await(rest.client().delete("/api/v1/upgrades").send()), 405, "no-such-method", "");
  }

  @Test
  void nodesAndHealthAreShown() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "shown", "primary", "6.1.0")) {
      String id = rest.upgrade("shown");
      broker.expect("plan");
      assertThat(node("shown").toString())
          .isEqualTo(
              """
              {"node":"shown","connected":true,"brokers":[{"role":"primary","kernel":"6.1.0",\
              "tsc_khz":2000000}],"upgrade":"%s","last_upgrade":"%s"}"""
                  .formatted(id, id));
      assertThat(rest.get("/health").bodyAsString()).isEqualTo("{\"status\":\"up\"}");
      assertThat(Rest.json(rest.get("/api/v1/upgrades")).toString()).contains(id);
    }
  }

  @Test
  void figuresAreGivenToPrometheus() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "counted", "primary", "6.1.0")) {
      String id = rest.upgrade("counted");
      broker.fail(broker.expect("plan"), "x", true);
      rest.await(id, "REFUSED");
      HttpResponse<Buffer> metrics = rest.get("/metrics");
      assertThat(metrics.getHeader("Content-Type")).startsWith("text/plain; version=0.0.4");
      assertThat(metrics.bodyAsString())
          .containsPattern("\ntwinkernel_nodes_connected [1-9]")
          .containsPattern("\ntwinkernel_upgrades\\{state=\"REFUSED\"} [1-9]")
          .contains("\ntwinkernel_upgrades{state=\"FAILED\"} 0\n")
          .endsWith("\n");
    }
  }

  @Test
  void thePageForPeopleRunsNoScriptButItsOwn() {
    HttpResponse<Buffer> page = rest.get("/");
    assertThat(page.getHeader("Content-Type")).isEqualTo("text/html; charset=utf-8");
    assertThat(page.getHeader("Content-Security-Policy"))
        .startsWith("default-src 'none'; script-src 'self'; ");
    assertThat(page.bodyAsString())
        .contains("<script src=\"dashboard.js\"></script>")
        .doesNotContain("://");
    HttpResponse<Buffer> script = rest.get("/dashboard.js");
    assertThat(script.getHeader("Content-Type")).startsWith("text/javascript");
    assertThat(script.bodyAsString()).doesNotContain("innerHTML").doesNotContain("://");
  }

  @Test
  void eventsAreGivenAfterASequenceNumber() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "events", "primary", "6.1.0")) {
      String path = "/api/v1/upgrades/" + rest.upgrade("events") + "/events";
      broker.obey("plan");
      broker.expect("prepare");
      JsonNode all = Rest.json(rest.get(path));
      assertThat(all).hasSize(3);
      assertThat(Rest.json(rest.get(path + "?after=2"))).hasSize(1);
      assertThat(Rest.json(rest.get(path + "?after=3"))).isEmpty();
      assertThat(Rest.json(rest.get(path + "?after=3&wait_ms=50"))).isEmpty();
      failure(rest.get(path + "?after=-1"), 400, "invalid-request", "'after'");
      failure(rest.get(path + "?after=x"), 400, "invalid-request", "'after'");
      failure(rest.get(path + "?wait_ms=9999999"), 400, "invalid-request", "'wait_ms'");
    }
  }

  @Test
  void aRequestForEventsWaitsForOne() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "waits", "primary", "6.1.0")) {
      String id = rest.upgrade("waits");
      var plan = broker.expect("plan");
      var waiting =
          rest.client().get("/api/v1/upgrades/" + id + "/events?after=1&wait_ms=20000").send();
      broker.ok(plan, "{}");
      JsonNode events = Rest.json(Rest.await(waiting));
      assertThat(events.path(0).path("state").asText()).isEqualTo("PLANNED");
    }
  }

  @Test
  void withATokenOnlyThoseWhoShowItAreServed(@TempDir Path folder) throws IOException {
    var config =
        ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN)
            .withPorts(0, 0, 0)
            .withHost("0.0.0.0", Optional.of("a token of 24 characters"));
    try (var guarded = ControlPlane.start(config);
        var client = new Rest(guarded.restPort())) {
      failure(client.get("/api/v1/nodes"), 401, "unauthorized", "token");
      assertThat(client.get("/health").statusCode()).isEqualTo(200);
      failure(client.get("/metrics"), 401, "unauthorized", "token");
      for (String wrong : new String[] {"Bearer a token of 24 characterz", "Basic eDp5", ""}) {
        failure(
            Rest.await(
                client.client().get("/api/v1/nodes").putHeader("Authorization", wrong).send()),
            401,
            "unauthorized",
            "token");
      }
      assertThat(
              Rest.await(
                      client
                          .client()
                          .get("/api/v1/nodes")
                          .putHeader("Authorization", "Bearer a token of 24 characters")
                          .send())
                  .statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void anOpenPortBeyondThisMachineIsRefused(@TempDir Path folder) {
    var local = ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN);
    assertThatThrownBy(() -> local.withHost("0.0.0.0", Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("give a token");
    assertThatThrownBy(() -> ControlPlaneConfig.local(folder, "short"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 16");
  }

  @Test
  void aPortThatIsTakenIsToldAndTheJournalsAreFreeAgain(@TempDir Path folder) throws IOException {
    var config = ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN);
    assertThatThrownBy(() -> ControlPlane.start(config.withPorts(0, plane.brokerPort(), 0)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Another process may use the port");
    ControlPlane.start(config.withPorts(0, 0, 0)).close();
  }
}
