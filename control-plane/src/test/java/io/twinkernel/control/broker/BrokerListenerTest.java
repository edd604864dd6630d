package io.twinkernel.control.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.control.Rest;
import io.twinkernel.control.ScriptedBroker;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BrokerListenerTest {
  private static final int FUZZ = 400;

  private ControlPlane plane;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    plane =
        ControlPlane.start(
            ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN).withPorts(0, 0, 0));
  }

  @AfterAll
  void stop() throws IOException {
    plane.close();
  }

  private void refused(String line, String why) throws IOException {
    try (var broker = new ScriptedBroker(plane.brokerPort())) {
      broker.say(line);
      var answer = broker.hear();
      assertThat(answer.path("type").asText()).isEqualTo("refused");
      assertThat(answer.path("why").asText()).contains(why);
      broker.expectEnd();
    }
  }

  private static String hello() {
    return ScriptedBroker.hello("demo", "primary", "6.1.0", ScriptedBroker.TOKEN);
  }

  @Test
  void aWrongTokenIsRefused() throws IOException {
    refused(ScriptedBroker.hello("demo", "primary", "k", "wrong"), "the token is wrong");
    refused(ScriptedBroker.hello("demo", "primary", "k", ""), "the token is wrong");
  }

  @Test
  void anotherProtocolIsRefused() throws IOException {
    refused(hello().replace("\"protocol\":1", "\"protocol\":2"), "protocol 2 is not spoken here");
  }

  @Test
  void aNodeThatIsNoNameIsRefused() throws IOException {
    refused(hello().replace("\"demo\"", "\"../demo\""), "'node' is not a name");
  }

  @Test
  void anUnknownRoleIsRefused() throws IOException {
    refused(hello().replace("primary", "king"), "no role 'king'");
  }

  @Test
  void whatIsNoHelloIsRefused() throws IOException {
    refused("GET / HTTP/1.1", "not JSON");
    refused("null", "null");
    refused("[]", "");
    refused("{}", "type");
    refused("{\"type\":\"reply\",\"command\":1,\"ok\":true}", "the first line has to be a hello");
  }

  @Test
  void aSecondHelloOfAnotherNodeIsRefused() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "second", "primary", "k")) {
      broker.say(ScriptedBroker.hello("third", "primary", "k", ScriptedBroker.TOKEN));
      assertThat(broker.hear().path("why").asText()).isEqualTo("a second hello, of another node");
      broker.expectEnd();
    }
  }

  @Test
  void aLineThatIsTooLongIsRefused() throws IOException {
    try (var broker = new ScriptedBroker(plane.brokerPort())) {
      byte[] line = new byte[(1 << 20) + 4096];
      Arrays.fill(line, (byte) 'x');
      try {
        broker.raw(line);
        assertThat(broker.hear().path("why").asText()).contains("longer than 1048576");
      } catch (SocketException e) {
        // It was closed while we still wrote: the kernel then throws its last words away.
        assertThat(e).hasMessageMatching("(?i).*(reset|broken pipe|aborted).*");
      }
    }
  }

  @Test
  void aLineOfAlmostAMebibyteIsTaken() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "long", "primary", "k");
        var rest = new Rest(plane.restPort())) {
      String id = rest.upgrade("long");
      var plan = broker.expect("plan");
      broker.ok(plan, "{\"text\":\"" + "x".repeat((1 << 20) - 200) + "\"}");
      broker.expect("prepare");
      assertThat(rest.show(id).path("plan").path("text").asText()).hasSize((1 << 20) - 200);
    }
  }

  @Test
  void aMessageThatIsNotUnderstoodDoesNotEndAKnownBrokersConnection() throws IOException {
    try (var broker = ScriptedBroker.dial(plane.brokerPort(), "odd", "primary", "k");
        var rest = new Rest(plane.restPort())) {
      String id = rest.upgrade("odd");
      var plan = broker.expect("plan");
      broker.event(id, "k", "rehearse", "done");
      broker.event(id, "k", "plan", "splendid");
      broker.event("ffff", "k", "plan", "done");
      broker.say("{\"type\":\"gossip\"}");
      broker.say("{\"type\":\"event\"}");
      broker.ok(plan, "{}");
      broker.expect("prepare");
    }
  }

  /** Mutated conversations and noise: the listener answers the next broker as if nothing was. */
  @Test
  void garbageDoesNoHarm() throws IOException {
    var random = new Random(7);
    byte[] good =
        (hello().replace("demo", "fuzz")
                + "\n{\"type\":\"event\",\"upgrade\":\"x\",\"phase\":\"boot\",\"status\":\"done\","
                + "\"at_ms\":1.5,\"detail\":{\"a\":[1,2,{\"b\":null}]}}\n"
                + "{\"type\":\"reply\",\"command\":3,\"ok\":false,\"failure\":{\"code\":\"c\"}}\n")
            .getBytes(StandardCharsets.UTF_8);
    for (int round = 0; round < FUZZ; round++) {
      byte[] bytes = random.nextInt(4) == 0 ? noise(random) : mutated(random, good);
      try (var broker = new ScriptedBroker(plane.brokerPort())) {
        broker.raw(bytes);
      } catch (SocketException e) {
        assertThat(e).as("round %d", round).hasMessageMatching("(?i).*(reset|pipe|abort).*");
      }
    }
    ScriptedBroker.dial(plane.brokerPort(), "after", "primary", "k").close();
  }

  private static byte[] noise(Random random) {
    byte[] bytes = new byte[random.nextInt(3000)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] mutated(Random random, byte[] good) {
    byte[] bytes = good.clone();
    for (int change = random.nextInt(6); change >= 0; change--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return random.nextInt(3) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }

  @Test
  void aBrokerThatDialsInAgainReplacesItsOldConnection() throws IOException {
    try (var old = ScriptedBroker.dial(plane.brokerPort(), "twice", "primary", "k");
        var fresh = ScriptedBroker.dial(plane.brokerPort(), "twice", "primary", "k");
        var rest = new Rest(plane.restPort())) {
      old.expectEnd();
      rest.upgrade("twice");
      fresh.expect("plan");
    }
  }
}
