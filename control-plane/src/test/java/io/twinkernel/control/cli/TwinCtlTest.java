package io.twinkernel.control.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.control.ScriptedBroker;
import io.twinkernel.control.json.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TwinCtlTest {
  private static final List<String> UPGRADE =
      List.of("upgrade", "demo", "--image", "/b/vmlinuz", "--initrd", "/b/initrd", "--cpus", "3");

  private record Result(int code, String out, String err) {}

  @TempDir Path folder;
  private ControlPlane plane;

  @BeforeEach
  void start() throws IOException {
    plane =
        ControlPlane.start(
            ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN).withPorts(0, 0, 0));
  }

  @AfterEach
  void stop() throws IOException {
    plane.close();
  }

  private Result run(String... arguments) {
    return run(Arrays.asList(arguments));
  }

  private Result run(List<String> arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    var line = TwinCtl.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] all =
        Stream.concat(
                Stream.of("--url", "http://127.0.0.1:" + plane.restPort()), arguments.stream())
            .toArray(String[]::new);
    int code = line.execute(all);
    return new Result(code, out.toString(), err.toString());
  }

  private CompletableFuture<Result> follow(List<String> arguments) {
    return CompletableFuture.supplyAsync(() -> run(arguments));
  }

  private static Result end(CompletableFuture<Result> result)
      throws InterruptedException, ExecutionException, TimeoutException {
    return result.get(30, TimeUnit.SECONDS);
  }

  private ScriptedBroker primary() throws IOException {
    return ScriptedBroker.dial(plane.brokerPort(), "demo", "primary", "6.1.0");
  }

  @Test
  void anUpgradeIsFollowedToItsEnd() throws Exception {
    try (var primary = primary()) {
      var result = follow(UPGRADE);
      primary.obey("plan");
      primary.obey("prepare");
      primary.obey("boot");
      primary.obey("precopy");
      String id = primary.expect("switch").upgrade();
      try (var twin = ScriptedBroker.dial(plane.brokerPort(), "demo", "secondary", "6.12.0")) {
        twin.expect("status");
        twin.event(id, "6.12.0", "resume", "done");
        twin.obey("absorb");
        Result done = end(result);
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
            .contains("boot      done")
            .contains("resume    done      6.12.0")
            .contains("state    COMPLETE")
            .contains("owner    secondary");
        assertThat(run("status", id).out()).contains("COMPLETE");
        assertThat(run("status").out()).contains("no upgrade is under way");
        assertThat(run("history").out()).contains(id).contains("COMPLETE");
        assertThat(run("history", "other").out()).doesNotContain(id);
        assertThat(run("nodes").out()).contains("demo  secondary 6.12.0");
        assertThat(run("watch", id, "--after", "10").out())
            .contains("COMPLETE")
            .doesNotContain("boot");
        Result late = run("rollback", id);
        assertThat(late.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(late.err()).contains("[finished]").contains("to do: ");
      }
    }
  }

  @Test
  void exitCodesTellHowItEnded() throws Exception {
    try (var primary = primary()) {
      var refused = follow(UPGRADE);
      primary.fail(primary.expect("plan"), "no-crash-region", true);
      assertThat(end(refused).code()).isEqualTo(ExitCode.REFUSED);
      assertThat(end(refused).out()).contains("[no-crash-region]").contains("to do    try again");
      var twice = follow(UPGRADE);
      primary.ok(
          primary.expect("plan"),
          """
          {"refusals":[{"code":"cpu-unknown","what":"CPU 9","why":"none","todo":"name another"},\
          {"code":"no-space","what":"/run","why":"full","todo":"make room"}]}""");
      assertThat(end(twice).code()).isEqualTo(ExitCode.REFUSED);
      assertThat(end(twice).out())
          .contains("failure  CPU 9: none [cpu-unknown]")
          .contains("also     /run: full [no-space]; make room");
      var back = follow(UPGRADE);
      primary.obey("plan");
      primary.fail(primary.expect("prepare"), "x", true);
      assertThat(end(back).code()).isEqualTo(ExitCode.ROLLED_BACK);
      var failed = follow(UPGRADE);
      primary.obey("plan");
      primary.fail(primary.expect("prepare"), "x", false);
      primary.fail(primary.expect("rollback"), "y", false);
      assertThat(end(failed).code()).isEqualTo(ExitCode.FAILED);
      assertThat(run("status", lastId()).code()).isEqualTo(ExitCode.FAILED);
    }
  }

  private String lastId() throws IOException {
    JsonNode all = Json.STRICT.readTree(run("--json", "history").out());
    return all.path(all.size() - 1).path("id").asText();
  }

  @Test
  void itWaitsIsContinuedAndRolledBack() throws Exception {
    try (var primary = primary()) {
      var upgrade = follow(Stream.concat(UPGRADE.stream(), Stream.of("--until", "plan")).toList());
      primary.obey("plan");
      Result waits = end(upgrade);
      assertThat(waits.code()).isZero();
      assertThat(waits.out()).contains("(waits: twinctl continue ");
      String id = lastId();
      assertThat(run("status").out()).contains(id).contains("PLANNED");
      var again = follow(List.of("continue", id, "--until", "prepare"));
      primary.obey("prepare");
      assertThat(end(again).out()).contains("PREPARED");
      var back = follow(List.of("rollback", id));
      primary.obey("rollback");
      assertThat(end(back).code()).isZero();
      assertThat(end(back).out()).contains("ROLLED_BACK");
    }
  }

  @Test
  void theLinkIsMeasuredWhereThatIsAskedFor() throws Exception {
    try (var primary = primary()) {
      var plain = follow(Stream.concat(UPGRADE.stream(), Stream.of("--until", "plan")).toList());
      assertThat(primary.obey("plan").arguments().path("measure_link").asInt(-1)).isZero();
      end(plain);
      var back = follow(List.of("rollback", lastId()));
      primary.obey("rollback");
      end(back);
      var measured =
          follow(
              Stream.concat(UPGRADE.stream(), Stream.of("--measure-link", "--until", "plan"))
                  .toList());
      assertThat(primary.obey("plan").arguments().path("measure_link").asInt()).isEqualTo(4000);
      assertThat(end(measured).code()).isZero();
    }
  }

  @Test
  void asJsonEveryLineIsAnObject() throws Exception {
    try (var primary = primary()) {
      Result detached =
          run(Stream.concat(UPGRADE.stream(), Stream.of("--detach", "--json")).toList());
      assertThat(detached.code()).as(detached.err()).isZero();
      String id = Json.STRICT.readTree(detached.out()).path("id").asText();
      primary.fail(primary.expect("plan"), "x", true);
      Result events = run("watch", id, "--json");
      assertThat(events.code()).isEqualTo(ExitCode.REFUSED);
      assertThat(events.out().lines())
          .hasSize(2)
          .allSatisfy(
              line ->
                  assertThat(Json.STRICT.readTree(line).path("upgrade").asText()).isEqualTo(id));
    }
  }

  @Test
  void wrongCommandLinesAreTold() {
    assertThat(run("upgrade", "demo").code()).isEqualTo(2);
    assertThat(run("status", "../nodes").code()).isEqualTo(2);
    assertThat(run("fly").code()).isEqualTo(2);
    Result unknown = run(UPGRADE);
    assertThat(unknown.code()).isEqualTo(ExitCode.REFUSED);
    assertThat(unknown.err()).contains("[node-unknown]");
  }

  @Test
  void aControlPlaneThatIsNotThereIsTold() {
    Result result = run("--url", "http://127.0.0.1:1", "nodes");
    assertThat(result.code()).isEqualTo(2);
    var line = TwinCtl.commandLine();
    var err = new StringWriter();
    line.setErr(new PrintWriter(err));
    assertThat(line.execute("--url", "http://127.0.0.1:1", "nodes")).isEqualTo(ExitCode.TROUBLE);
    assertThat(err.toString()).contains("is it running?");
  }

  @Test
  void theTokenIsReadFromAFile(@TempDir Path other) throws IOException {
    Path token = Files.writeString(other.resolve("token"), "a-token-of-24-characters\n");
    var config =
        ControlPlaneConfig.local(other.resolve("journals"), ScriptedBroker.TOKEN)
            .withPorts(0, 0, 0)
            .withHost("127.0.0.1", Optional.of("a-token-of-24-characters"));
    try (var guarded = ControlPlane.start(config)) {
      String url = "http://127.0.0.1:" + guarded.restPort();
      assertThat(
              TwinCtl.commandLine()
                  .setOut(new PrintWriter(new StringWriter()))
                  .execute("--url", url, "--token-file", "" + token, "nodes"))
          .isZero();
      assertThat(
              TwinCtl.commandLine()
                  .setErr(new PrintWriter(new StringWriter()))
                  .execute("--url", url, "nodes"))
          .isEqualTo(ExitCode.REFUSED);
    }
  }
}
