package io.twinkernel.broker.agent;

import io.twinkernel.broker.policy.Moves;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The commands by which the policy has something started anew in B: each rule's once, when A has
 * parked, so that never two of them run.
 *
 * @param commands as words, the first one an absolute path
 */
record Restarts(List<List<String>> commands) {

  /** A: those of the rules that select a process now. */
  static Restarts of(Moves moves) {
    return new Restarts(
        List.copyOf(moves.restarted().keySet().stream().map(rule -> rule.command()).toList()));
  }

  List<Map<String, Object>> toJson() {
    return commands.stream().map(command -> Map.<String, Object>of("command", command)).toList();
  }

  /** B: what A sent in {@link FrameType#STAGE}. */
  static Restarts read(Fields stage) throws MalformedMessageException {
    var commands = new ArrayList<List<String>>();
    for (Fields one : stage.objects("restart")) {
      commands.add(one.texts("command"));
    }
    return new Restarts(List.copyOf(commands));
  }

  /**
   * Starts them, and waits for none: a service's program need not end.
   *
   * @return what could not be started
   */
  List<String> run() {
    var failures = new ArrayList<String>();
    for (List<String> command : commands) {
      var builder = new ProcessBuilder(command).directory(new File("/"));
      builder.redirectInput(new File("/dev/null")).redirectErrorStream(true);
      builder.redirectOutput(ProcessBuilder.Redirect.appendTo(new File("/dev/kmsg")));
      try {
        builder.start();
        KernelLog.say("started anew: " + String.join(" ", command));
      } catch (IOException e) {
        KernelLog.say("cannot start anew: " + e.getMessage());
        failures.add(String.valueOf(e.getMessage()));
      }
    }
    return List.copyOf(failures);
  }
}
