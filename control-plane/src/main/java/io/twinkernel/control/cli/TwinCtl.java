package io.twinkernel.control.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.json.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The operators' command line: starts and watches upgrades, by REST. */
@Command(
    name = "twinctl",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description = "Moves running servers from one kernel to another.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:done or rehearsed, or the upgrade waits where it was asked to",
      "1:the control plane cannot be reached or is in trouble",
      "2:wrong command line",
      "3:refused; nothing was changed",
      "4:rolled back; the former kernel serves",
      "5:the upgrade needs an operator"
    })
public final class TwinCtl {
  /** How long the control plane may hold a request for events. */
  private static final int WAIT_MILLIS = 20_000;

  @Option(
      names = "--url",
      scope = ScopeType.INHERIT,
      defaultValue = "${env:TWINKERNEL_URL:-http://127.0.0.1:7440}",
      description = "where the control plane is; default: $TWINKERNEL_URL or ${DEFAULT-VALUE}")
  URI url = URI.create("http://127.0.0.1:7440");

  @Option(
      names = "--token-file",
      scope = ScopeType.INHERIT,
      defaultValue = "${env:TWINKERNEL_TOKEN_FILE}",
      description = "file with the clients' token; default: $TWINKERNEL_TOKEN_FILE")
  @Nullable Path tokenFile;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "answers as JSON; events as one object a line")
  boolean json;

  @Spec CommandSpec spec = CommandSpec.create();

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** With exceptions turned into messages and exit codes. */
  static CommandLine commandLine() {
    var line = new CommandLine(new TwinCtl());
    line.setExecutionExceptionHandler(
        (e, command, _) -> {
          if (e instanceof ApiException failure) {
            command.getErr().println("twinctl: " + failure.getMessage());
            return failure.exitCode();
          }
          throw e;
        });
    return line;
  }

  @Command(description = "Starts an upgrade and follows it.")
  int upgrade(
      @Parameters(paramLabel = "NODE") String node,
      @Option(names = "--image", required = true, description = "bzImage, a path on the node")
          String image,
      @Option(names = "--initrd", required = true, description = "initramfs, a path on the node")
          String initrd,
      @Option(
              names = "--cpus",
              split = ",",
              description = "CPUs that the new kernel gets at first; default: the node's choice")
          @Nullable List<Integer> cpus,
      @Option(
              names = "--buses",
              split = ",",
              description = "PCI buses that it gets at first, as 0000:82; default: the node's")
          @Nullable List<String> buses,
      @Option(
              names = "--fault",
              description =
                  "inject: twin-hangs, restore-fails, or one at a step of the switch, as"
                      + " a-fails@freeze")
          @Nullable List<String> faults,
      @Option(
              names = "--rehearse",
              description = "everything but the commit; then it is undone, and the gap estimated")
          boolean rehearse,
      @Option(
              names = "--measure-link",
              paramLabel = "SAMPLES",
              arity = "0..1",
              defaultValue = "0",
              fallbackValue = "4000",
              description =
                  "measure the link when the new kernel has booted, by so many round trips"
                      + " (default without SAMPLES: 4000)")
          int measureLink,
      @Option(names = "--until", description = "stop after that phase") @Nullable String until,
      @Option(names = "--detach", description = "do not follow it") boolean detach)
      throws ApiException {
    var body = new LinkedHashMap<String, Object>();
    body.put("node", node);
    body.put("image", image);
    body.put("initrd", initrd);
    body.put("cpus", cpus == null ? List.of() : cpus);
    body.put("buses", buses == null ? List.of() : buses);
    body.put("faults", faults == null ? List.of() : faults);
    body.put("rehearse", rehearse);
    body.put("measure_link", measureLink);
    if (until != null) {
      body.put("until", until);
    }
    try (ApiClient api = api()) {
      JsonNode upgrade = api.post("upgrades", body);
      if (detach) {
        print(upgrade, Text.upgrade(upgrade));
        return ExitCode.OK;
      }
      return follow(api, upgrade.path("id").asText(), 0);
    }
  }

  @Command(description = "Shows an upgrade, or those under way.")
  int status(@Parameters(paramLabel = "ID", arity = "0..1") @Nullable String id)
      throws ApiException {
    try (ApiClient api = api()) {
      if (id != null) {
        JsonNode upgrade = api.get("upgrades/" + plain(id));
        print(upgrade, Text.upgrade(upgrade));
        return ExitCode.of(upgrade);
      }
      var running = new ArrayList<JsonNode>();
      for (JsonNode upgrade : api.get("upgrades")) {
        if (!upgrade.path("terminal").asBoolean()) {
          running.add(upgrade);
        }
      }
      print(running, running.isEmpty() ? "no upgrade is under way" : Text.history(running));
      return ExitCode.OK;
    }
  }

  @Command(description = "Follows an upgrade until it ends or waits.")
  int watch(
      @Parameters(paramLabel = "ID") String id,
      @Option(
              names = "--after",
              defaultValue = "0",
              description = "only events with a higher sequence number")
          long after)
      throws ApiException {
    try (ApiClient api = api()) {
      return follow(api, plain(id), after);
    }
  }

  @Command(description = "Rolls an upgrade back, if it is not committed yet, and follows it.")
  int rollback(@Parameters(paramLabel = "ID") String id) throws ApiException {
    try (ApiClient api = api()) {
      JsonNode upgrade = api.post("upgrades/" + plain(id) + "/rollback", Map.of());
      int code = follow(api, plain(id), upgrade.path("sequence").asLong());
      return code == ExitCode.ROLLED_BACK ? ExitCode.OK : code;
    }
  }

  @Command(name = "continue", description = "Lets a waiting upgrade go on, and follows it.")
  int proceed(
      @Parameters(paramLabel = "ID") String id,
      @Option(names = "--until", description = "stop again after that phase")
          @Nullable String until)
      throws ApiException {
    try (ApiClient api = api()) {
      JsonNode upgrade =
          api.post(
              "upgrades/" + plain(id) + "/continue",
              until == null ? Map.of() : Map.of("until", until));
      return follow(api, plain(id), upgrade.path("sequence").asLong());
    }
  }

  @Command(description = "Lists all upgrades, oldest first.")
  int history(@Parameters(paramLabel = "NODE", arity = "0..1") @Nullable String node)
      throws ApiException {
    try (ApiClient api = api()) {
      var upgrades = new ArrayList<JsonNode>();
      for (JsonNode upgrade : api.get("upgrades")) {
        if (node == null || upgrade.path("node").asText().equals(node)) {
          upgrades.add(upgrade);
        }
      }
      print(upgrades, Text.history(upgrades));
      return ExitCode.OK;
    }
  }

  @Command(description = "Lists the nodes.")
  int nodes() throws ApiException {
    try (ApiClient api = api()) {
      JsonNode nodes = api.get("nodes");
      print(nodes, Text.nodes(nodes));
      return ExitCode.OK;
    }
  }

  private int follow(ApiClient api, String id, long after) throws ApiException {
    long seen = after;
    JsonNode upgrade = api.get("upgrades/" + id);
    while (true) {
      // What was the last event when the state was looked at has to be shown before stopping.
      boolean over = upgrade.path("terminal").asBoolean() || upgrade.path("waiting").asBoolean();
      boolean all = seen >= upgrade.path("sequence").asLong();
      if (over && all) {
        if (!json) {
          out().println(Text.upgrade(upgrade));
        }
        return ExitCode.of(upgrade);
      }
      String wait = over ? "" : "&wait_ms=" + WAIT_MILLIS;
      for (JsonNode event : api.get("upgrades/" + id + "/events?after=" + seen + wait)) {
        print(event, Text.event(event));
        seen = event.path("sequence").asLong();
      }
      out().flush();
      upgrade = api.get("upgrades/" + id);
    }
  }

  private ApiClient api() throws ApiException {
    try {
      Optional<String> token =
          tokenFile == null || tokenFile.toString().isEmpty()
              ? Optional.empty()
              : Optional.of(Files.readString(tokenFile).strip());
      return new ApiClient(url, token);
    } catch (IOException e) {
      throw new ApiException(ExitCode.TROUBLE, "the token cannot be read: " + e, e);
    }
  }

  /** An id has nothing that means something in a path. */
  private String plain(String id) {
    if (!id.matches("[0-9a-zA-Z]+")) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "'" + id + "' is no id of an upgrade; see twinctl history");
    }
    return id;
  }

  private void print(Object value, String text) {
    out().println(json ? Json.write(value) : text);
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
