package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.twinkernel.control.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The broker's end of a real connection: says what a test lets it say, expects what comes. */
public final class ScriptedBroker implements AutoCloseable {
  /** What the tests' control planes want to see. */
  public static final String TOKEN = "0123456789abcdef0123456789abcdef";

  private static final int PATIENCE_MILLIS = 20_000;

  private final Socket socket;
  private final BufferedReader lines;

  public ScriptedBroker(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(PATIENCE_MILLIS);
    lines =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Connected, and welcome. */
  public static ScriptedBroker dial(int port, String node, String role, String kernel)
      throws IOException {
    var broker = new ScriptedBroker(port);
    broker.say(hello(node, role, kernel, TOKEN));
    assertThat(broker.hear().path("type").asText()).isEqualTo("welcome");
    return broker;
  }

  public static String hello(String node, String role, String kernel, String token) {
    return """
        {"type":"hello","protocol":1,"node":"%s","role":"%s","kernel":"%s","token":"%s",\
        "instance":"","tsc_khz":2000000,"tsc":1}"""
        .formatted(node, role, kernel, token);
  }

  /** Sends a line. */
  public void say(String line) throws IOException {
    raw((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  public void raw(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  /** The next line. */
  public JsonNode hear() throws IOException {
    String line = lines.readLine();
    assertThat(line).as("a line from the control plane").isNotNull();
    return Json.STRICT.readTree(line);
  }

  /** The next line is that command. */
  public Command expect(String verb) throws IOException {
    JsonNode line = hear();
    assertThat(line.path("type").asText()).as("type of %s", line).isEqualTo("command");
    assertThat(line.path("verb").asText()).as("verb of %s", line).isEqualTo(verb);
    return new Command(
        line.path("command").asLong(), line.path("upgrade").asText(), line.path("arguments"));
  }

  /** The other end closes. */
  public void expectEnd() throws IOException {
    assertThat(lines.readLine()).isNull();
  }

  public void ok(Command command, String detail) throws IOException {
    say(
        "{\"type\":\"reply\",\"command\":%d,\"ok\":true,\"detail\":%s}"
            .formatted(command.number(), detail));
  }

  public void fail(Command command, String code, boolean undone) throws IOException {
    say(
        """
        {"type":"reply","command":%d,"ok":false,"failure":{"code":"%s","what":"it",\
        "why":"cannot","todo":"try again","undone":%b}}"""
            .formatted(command.number(), code, undone));
  }

  /** Expects that command and carries it out. */
  public Command obey(String verb) throws IOException {
    Command command = expect(verb);
    ok(
        command,
        switch (verb) {
          case "plan" -> "{\"from\":\"6.1.0\",\"to\":\"6.12.0\",\"refusals\":[]}";
          case "boot" -> "{\"kernel\":\"6.12.0\",\"boot_ms\":1234.5}";
          default -> "{}";
        });
    return command;
  }

  public void event(String upgrade, String kernel, String phase, String status) throws IOException {
    ObjectNode event = Json.STRICT.createObjectNode();
    event.put("type", "event").put("upgrade", upgrade).put("kernel", kernel);
    event.put("phase", phase).put("status", status).put("tsc", 42L);
    event.put("at_ms", 1795243300123.457).put("message", phase + " " + status);
    event.putObject("detail").put("from", "script");
    say(event.toString());
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** What the control plane asks for. */
  public record Command(long number, String upgrade, JsonNode arguments) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Command command && command.number == number;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(number);
    }
  }
}
