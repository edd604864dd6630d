package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.json.Json;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A client of REST. */
public final class Rest implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 30;

  private final Vertx vertx = Vertx.vertx();
  private final WebClient client;

  public Rest(int port) {
    client =
        WebClient.create(
            vertx, new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(port));
  }

  public static String request(String node) {
    return """
        {"node":"%s","image":"/boot/twin/6.12/vmlinuz","initrd":"/boot/twin/6.12/initrd",\
        "cpus":[3],"buses":["0000:82"]}"""
        .formatted(node);
  }

  public WebClient client() {
    return client;
  }

  public HttpResponse<Buffer> post(String path, String body) {
    return await(
        client
            .post(path)
            .putHeader("Content-Type", "application/json")
            .sendBuffer(Buffer.buffer(body)));
  }

  public HttpResponse<Buffer> get(String path) {
    return await(client.get(path).send());
  }

  /** The id of a new upgrade. */
  public String upgrade(String node) {
    return upgradeOf(request(node));
  }

  public String upgradeOf(String body) {
    HttpResponse<Buffer> response = post("/api/v1/upgrades", body);
    assertThat(response.statusCode()).as(response.bodyAsString()).isEqualTo(201);
    return json(response).path("id").asText();
  }

  public JsonNode show(String id) {
    return json(get("/api/v1/upgrades/" + id));
  }

  /** Waits until the upgrade is in that state; fails if it ends in another. */
  public JsonNode await(String id, String state) {
    long after = 0;
    while (true) {
      JsonNode upgrade = show(id);
      String now = upgrade.path("state").asText();
      if (now.equals(state)) {
        return upgrade;
      }
      assertThat(upgrade.path("terminal").asBoolean())
          .as("%s ended as %s, not as %s", id, upgrade, state)
          .isFalse();
      JsonNode events =
          json(get("/api/v1/upgrades/" + id + "/events?wait_ms=20000&after=" + after));
      assertThat(events.isEmpty()).as("no event for 20 s in " + now).isFalse();
      after = events.path(events.size() - 1).path("sequence").asLong();
    }
  }

  public static JsonNode json(HttpResponse<Buffer> response) {
    try {
      return Json.STRICT.readTree(response.bodyAsString());
    } catch (IOException e) {
      throw new AssertionError(response.bodyAsString(), e);
    }
  }

  public static <T> T await(Future<T> future) {
    try {
      return future.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("no answer", e);
    }
  }

  @Override
  public void close() {
    client.close();
    await(vertx.close());
  }
}
