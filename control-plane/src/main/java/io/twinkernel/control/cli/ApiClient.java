package io.twinkernel.control.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.json.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** REST, from the client's side. */
final class ApiClient implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final Duration ANSWER = Duration.ofSeconds(60);

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
  private final URI base;
  private final Optional<String> token;

  /**
   * A client of one control plane.
   *
   * @param base as http://127.0.0.1:7440
   */
  ApiClient(URI base, Optional<String> token) {
    this.base = base;
    this.token = token;
  }

  JsonNode get(String path) throws ApiException {
    return send(request(path).GET());
  }

  JsonNode post(String path, Object body) throws ApiException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.write(body))));
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve("/api/v1/" + path)).timeout(ANSWER);
    token.ifPresent(text -> request.header("Authorization", "Bearer " + text));
    return request;
  }

  private JsonNode send(HttpRequest.Builder request) throws ApiException {
    HttpResponse<String> response;
    try {
      response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ApiException(
          ExitCode.TROUBLE,
          "the control plane at "
              + base
              + " does not answer ("
              + e
              + "); is it running? --url says where it is",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(ExitCode.TROUBLE, "interrupted", e);
    }
    JsonNode body = parse(response.body());
    if (response.statusCode() >= 400) {
      throw new ApiException(
          response.statusCode() >= 500 ? ExitCode.TROUBLE : ExitCode.REFUSED,
          "%s: %s [%s]%n  to do: %s"
              .formatted(
                  body.path("what").asText(),
                  body.path("why").asText(),
                  body.path("code").asText(),
                  body.path("todo").asText()));
    }
    return body;
  }

  private JsonNode parse(String body) throws ApiException {
    try {
      return Json.TOLERANT.readTree(body);
    } catch (JsonProcessingException e) {
      throw new ApiException(
          ExitCode.TROUBLE, "what answers at " + base + " is no control plane", e);
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
