package io.twinkernel.harness.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The control plane's REST interface. */
public final class RestClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final URI base;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

  public RestClient(int port) {
    this.base = URI.create("http://127.0.0.1:" + port);
  }

  /**
   * Starts an upgrade.
   *
   * @return its id
   */
  public String start(Map<String, ?> request) throws HarnessException {
    return post("/api/v1/upgrades", request).path("id").asText();
  }

  /** Lets an upgrade that was started with {@code until} go on. */
  public void goOn(String upgrade) throws HarnessException {
    post("/api/v1/upgrades/" + upgrade + "/continue", Map.of());
  }

  /** Asks for a rollback of an upgrade. */
  public void rollBack(String upgrade) throws HarnessException {
    post("/api/v1/upgrades/" + upgrade + "/rollback", Map.of());
  }

  /** The upgrade as it stands. */
  public JsonNode upgrade(String upgrade) throws HarnessException {
    return get("/api/v1/upgrades/" + upgrade);
  }

  /** The nodes that have dialled in. */
  public JsonNode nodes() throws HarnessException {
    return get("/api/v1/nodes");
  }

  /** The journal's events of an upgrade after a sequence number. */
  public List<UpgradeEvent> events(String upgrade, long after) throws HarnessException {
    JsonNode answer = get("/api/v1/upgrades/" + upgrade + "/events?after=" + after);
    long now = System.nanoTime();
    List<UpgradeEvent> events = new ArrayList<>();
    for (JsonNode event : answer.isArray() ? answer : answer.path("events")) {
      events.add(UpgradeEvent.of(event, now));
    }
    return events;
  }

  private JsonNode get(String path) throws HarnessException {
    return send(HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT).GET().build());
  }

  private JsonNode post(String path, Map<String, ?> body) throws HarnessException {
    return send(
        HttpRequest.newBuilder(base.resolve(path))
            .timeout(TIMEOUT)
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(JSON.valueToTree(body).toString()))
            .build());
  }

  private JsonNode send(HttpRequest request) throws HarnessException {
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() / 100 == 2) {
        return response.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(response.body());
      }
      throw new HarnessException.Control(
          request.method()
              + " "
              + request.uri().getPath()
              + " was answered with "
              + response.statusCode()
              + ": "
              + response.body());
    } catch (IOException failure) {
      throw new HarnessException.Control(
          request.method() + " " + request.uri() + ": " + failure, failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Control(
          "interrupted while waiting for " + request.uri(), interrupted);
    }
  }

  @Override
  public void close() {
    http.close();
  }
}
