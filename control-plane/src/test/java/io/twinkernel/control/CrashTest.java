package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.control.ScriptedBroker.Command;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real process, killed without warning in the middle of an upgrade, again and again. */
class CrashTest {
  private static final Pattern READY =
      Pattern.compile("REST and SockJS on .*:(\\d+), event bus bridge .*, brokers on .*:(\\d+)");

  @TempDir Path folder;

  private record Server(Process process, int rest, int brokers) implements AutoCloseable {
    @Override
    public void close() {
      process.destroyForcibly();
      process.onExit().join();
    }

    ScriptedBroker dial(String role, String kernel) throws IOException {
      return ScriptedBroker.dial(brokers, "demo", role, kernel);
    }
  }

  private Server serve() throws IOException {
    return serve("unlimited");
  }

  /**
   * A control plane whose files cannot grow beyond that.
   *
   * @param fileKib a number of KiB, or unlimited
   */
  private Server serve(String fileKib) throws IOException {
    Path token = Files.writeString(folder.resolve("token"), ScriptedBroker.TOKEN);
    Process process =
        new ProcessBuilder(
                "bash",
                "-c",
                "ulimit -f " + fileKib + " && exec \"$@\"",
                "control-plane",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName(),
                "--rest-port=0",
                "--bridge-port=0",
                "--broker-port=0",
                "--broker-token-file=" + token,
                "--journals=" + folder.resolve("journals"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    Matcher ready = READY.matcher(String.valueOf(out.readLine()));
    assertThat(ready.matches()).as("the first line of a control plane").isTrue();
    return new Server(process, Integer.parseInt(ready.group(1)), Integer.parseInt(ready.group(2)));
  }

  @Test
  void killedAnywhereItGoesOn() throws IOException {
    String id;
    Command boot;
    try (Server server = serve();
        var primary = server.dial("primary", "6.1.0");
        var rest = new Rest(server.rest())) {
      id = rest.upgrade("demo");
      primary.obey("plan");
      primary.obey("prepare");
      boot = primary.expect("boot");
    }
    try (Server server = serve();
        var primary = server.dial("primary", "6.1.0")) {
      primary.ok(primary.expect("status"), "{\"stage\":\"Prepared\"}");
      assertThat(primary.expect("boot")).isEqualTo(boot);
      primary.ok(boot, "{\"kernel\":\"6.12.0\"}");
      primary.obey("precopy");
      primary.expect("switch");
    }
    try (Server server = serve();
        var twin = server.dial("secondary", "6.12.0")) {
      twin.expect("status");
      twin.event(id, "6.12.0", "resume", "done");
      twin.expect("absorb");
    }
    try (Server server = serve();
        var twin = server.dial("secondary", "6.12.0");
        var rest = new Rest(server.rest())) {
      twin.ok(twin.expect("status"), "{\"stage\":\"Absorbed\"}");
      rest.await(id, "COMPLETE");
    }
  }

  /** What cannot be journalled does not happen; once there is room, it goes on. */
  @Test
  void withAFullDiskItStandsStill() throws IOException {
    String id;
    try (Server server = serve("4");
        var primary = server.dial("primary", "6.1.0");
        var rest = new Rest(server.rest())) {
      id = rest.upgrade("demo");
      primary.obey("plan");
      primary.obey("prepare");
      primary.ok(primary.expect("boot"), "{\"text\":\"" + "x".repeat(4096) + "\"}");
      // Its refusal says that what came before it has been read; no command came in between.
      primary.say(ScriptedBroker.hello("other", "primary", "6.1.0", ScriptedBroker.TOKEN));
      assertThat(primary.hear().path("why").asText()).startsWith("a second hello");
      assertThat(rest.show(id).path("state").asText()).isEqualTo("PREPARED");
      assertThat(Files.readString(folder.resolve("journals/demo/" + id + ".jsonl")))
          .hasSizeLessThan(4096)
          .endsWith("\n");
    }
    try (Server server = serve();
        var primary = server.dial("primary", "6.1.0")) {
      primary.ok(primary.expect("status"), "{\"stage\":\"Booted\"}");
      primary.expect("precopy");
    }
  }

  @Test
  void stoppedKindlyItEndsWell() throws IOException, InterruptedException {
    try (Server server = serve()) {
      server.process().destroy();
      assertThat(server.process().waitFor()).isEqualTo(143);
    }
  }
}
