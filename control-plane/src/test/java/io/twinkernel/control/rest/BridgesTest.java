package io.twinkernel.control.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.control.Rest;
import io.twinkernel.control.ScriptedBroker;
import io.twinkernel.control.json.Json;
import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BridgesTest {
  private ControlPlane plane;
  private Rest rest;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
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

  /** A client of the bridge in its raw protocol: JSON after a big-endian length of 4 bytes. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    Client(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setSoTimeout(20_000);
      in = new DataInputStream(socket.getInputStream());
      out = new DataOutputStream(socket.getOutputStream());
    }

    Client send(String json) throws IOException {
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      out.writeInt(bytes.length);
      out.write(bytes);
      out.flush();
      return this;
    }

    JsonNode receive() throws IOException {
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      return Json.STRICT.readTree(bytes);
    }

    /** Registered for certain: the bridge answers a ping after what came before it. */
    Client register(String address) throws IOException {
      send("{\"type\":\"register\",\"address\":\"" + address + "\",\"headers\":{}}");
      send("{\"type\":\"ping\"}");
      assertThat(receive().path("type").asText()).isEqualTo("pong");
      return this;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void everyEventOfAnUpgradeArrivesInOrder() throws IOException {
    try (var client = new Client(plane.bridgePort()).register(Bridges.ALL);
        var broker = ScriptedBroker.dial(plane.brokerPort(), "bus", "primary", "6.1.0")) {
      String id = rest.upgrade("bus");
      broker.event(id, "6.1.0", "plan", "progress");
      broker.fail(broker.expect("plan"), "no", true);
      rest.await(id, "REFUSED");
      var heard = new ArrayList<JsonNode>();
      while (heard.isEmpty() || !heard.getLast().path("state").asText().equals("REFUSED")) {
        JsonNode frame = client.receive();
        assertThat(frame.path("address").asText()).isEqualTo(Bridges.ALL);
        if (frame.path("body").path("upgrade").asText().equals(id)) {
          heard.add(frame.path("body"));
        }
      }
      assertThat(heard)
          .containsExactlyElementsOf(Rest.json(rest.get("/api/v1/upgrades/" + id + "/events")));
    }
  }

  @Test
  void whatAClientMissedItFetchesByTheSequenceNumber() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "missed", "primary", "6.1.0")) {
      String id = rest.upgrade("missed");
      broker.obey("plan");
      broker.expect("prepare");
      try (var client = new Client(plane.bridgePort()).register(Bridges.address(id))) {
        broker.event(id, "6.1.0", "prepare", "progress");
        JsonNode first = client.receive().path("body");
        long sequence = first.path("sequence").asLong();
        assertThat(sequence).isEqualTo(4);
        JsonNode all = Rest.json(rest.get("/api/v1/upgrades/" + id + "/events?after=0"));
        List<Long> known = new ArrayList<>();
        all.forEach(event -> known.add(event.path("sequence").asLong()));
        assertThat(known).containsExactly(1L, 2L, 3L, 4L);
        assertThat(all.path(3)).isEqualTo(first);
      }
    }
  }

  @Test
  void eventsFollowTheirSchema() throws IOException {
    JsonNode schema;
    try (var in = Bridges.class.getResourceAsStream("/io/twinkernel/control/event.schema.json")) {
      assertThat(in).isNotNull();
      schema = Json.STRICT.readTree(in);
    }
    var validator =
        io.vertx.json.schema.Validator.create(
            io.vertx.json.schema.JsonSchema.of(new JsonObject(schema.toString())),
            new io.vertx.json.schema.JsonSchemaOptions()
                .setBaseUri("https://twinkernel.invalid/")
                .setDraft(io.vertx.json.schema.Draft.DRAFT202012));
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "schema", "primary", "6.1.0")) {
      String id = rest.upgrade("schema");
      broker.event(id, "6.1.0", "plan", "progress");
      broker.fail(broker.expect("plan"), "no", true);
      rest.await(id, "REFUSED");
      JsonNode events = Rest.json(rest.get("/api/v1/upgrades/" + id + "/events"));
      assertThat(events).hasSize(3);
      for (JsonNode event : events) {
        var result = validator.validate(new JsonObject(event.toString()));
        assertThat(result.getValid()).as("%s: %s", event, result.getErrors()).isTrue();
        var wrong = new JsonObject(event.toString()).put("sequence", 0);
        assertThat(validator.validate(wrong).getValid()).isFalse();
      }
    }
  }

  @Test
  void otherAddressesAreClosed() throws IOException {
    try (var client = new Client(plane.bridgePort())) {
      client.send("{\"type\":\"register\",\"address\":\"vertx.secret\",\"headers\":{}}");
      assertThat(client.receive().path("message").asText()).isEqualTo("access_denied");
      client.send("{\"type\":\"register\",\"address\":\"xtwinkernel.events\",\"headers\":{}}");
      assertThat(client.receive().path("message").asText()).isEqualTo("access_denied");
    }
  }

  @Test
  void nobodySendsAnythingIn() throws IOException {
    try (var watcher = new Client(plane.bridgePort()).register(Bridges.ALL);
        var client = new Client(plane.bridgePort());
        var broker = ScriptedBroker.dial(plane.brokerPort(), "forge", "primary", "6.1.0")) {
      for (String type : List.of("send", "publish")) {
        client.send(
            "{\"type\":\""
                + type
                + "\",\"address\":\"twinkernel.events\",\"body\":{\"forged\":1}}");
        assertThat(client.receive().path("type").asText()).isEqualTo("err");
      }
      rest.upgrade("forge");
      broker.expect("plan");
      assertThat(watcher.receive().path("body").has("forged")).isFalse();
    }
  }

  @Test
  void withATokenARegistrationHasToShowIt(@TempDir Path folder) throws IOException {
    var config =
        ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN)
            .withPorts(0, 0, 0)
            .withHost("127.0.0.1", Optional.of("a-token-of-24-characters"));
    try (var guarded = ControlPlane.start(config);
        var client = new Client(guarded.bridgePort())) {
      client.send("{\"type\":\"register\",\"address\":\"twinkernel.events\",\"headers\":{}}");
      assertThat(client.receive().path("type").asText()).isEqualTo("err");
      client.send(
          "{\"type\":\"register\",\"address\":\"twinkernel.events\",\"headers\":"
              + "{\"Authorization\":\"Bearer a-token-of-24-characters\"}}");
      client.send("{\"type\":\"ping\"}");
      assertThat(client.receive().path("type").asText()).isEqualTo("pong");
    }
  }

  @Test
  void garbageOnTheBridgeDoesNoHarm() throws IOException {
    try (var client = new Client(plane.bridgePort())) {
      client.send("no json");
      client.send("{\"type\":\"register\"}");
    }
    new Client(plane.bridgePort()).register(Bridges.ALL).close();
  }

  @Test
  void browsersHearEventsToo() throws Exception {
    Vertx vertx = Vertx.vertx();
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "sockjs", "primary", "6.1.0")) {
      var frames = new LinkedBlockingQueue<JsonObject>();
      WebSocket socket =
          Rest.await(
              vertx
                  .createWebSocketClient()
                  .connect(plane.restPort(), "127.0.0.1", "/eventbus/websocket"));
      socket.binaryMessageHandler(bytes -> frames.add(new JsonObject(bytes)));
      String forged =
          "{\"type\":\"publish\",\"address\":\"twinkernel.events\",\"body\":{\"forged\":1}}";
      for (String message :
          List.of(
              forged,
              "{\"type\":\"register\",\"address\":\"vertx.secret\",\"headers\":{}}",
              "{\"type\":\"register\",\"address\":\"twinkernel.events\",\"headers\":{}}",
              forged)) {
        Rest.await(socket.writeTextMessage(message));
      }
      // The answer to the last one says that the registration before it is through.
      for (int refusal = 0; refusal < 3; refusal++) {
        assertThat(next(frames).getString("type")).isEqualTo("err");
      }
      String id = rest.upgrade("sockjs");
      JsonObject event = next(frames);
      while (!event.getJsonObject("body").getString("upgrade").equals(id)) {
        event = next(frames);
      }
      assertThat(event.getJsonObject("body").getLong("sequence")).isEqualTo(1);
      broker.expect("plan");
    } finally {
      Rest.await(vertx.close());
    }
  }

  private static JsonObject next(LinkedBlockingQueue<JsonObject> frames)
      throws InterruptedException {
    JsonObject frame = frames.poll(20, TimeUnit.SECONDS);
    assertThat(frame).as("a frame").isNotNull();
    return frame == null ? new JsonObject() : frame;
  }
}
