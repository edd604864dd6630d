package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.control.UpgradeEvent;
import java.io.PrintStream;
import java.util.Locale;

/** Tells on the terminal what is happening, each line with the seconds since the run began. */
final class Narrator {

  private final PrintStream out;
  private final long start = System.nanoTime();
  private boolean silent;

  Narrator(PrintStream out) {
    this.out = out;
  }

  /** From now on nothing is said: the run is being ended from outside. */
  void silence() {
    synchronized (out) {
      silent = true;
    }
  }

  void say(String text) {
    synchronized (out) {
      if (silent) {
        return;
      }
      out.printf(Locale.ROOT, "%7.1f s  %s%n", (System.nanoTime() - start) / 1e9, text);
      out.flush();
    }
  }

  void event(UpgradeEvent event) {
    String who = event.kernel().isEmpty() ? "control" : event.kernel();
    String text =
        event.message().isEmpty() ? event.status() : event.status() + ": " + event.message();
    say(String.format(Locale.ROOT, "%-9s %-24s %s", event.phase(), who, text));
    reasons(event, "stopped_to_be_dumped", "stood still until it was dumped");
    reasons(event, "go_over_by_full_dump", "goes over by a full dump, in the gap");
  }

  /** Which trees of processes there is something to say of, by the number of their root. */
  private void reasons(UpgradeEvent event, String field, String what) {
    for (JsonNode tree : event.detail().path(field)) {
      say(
          String.format(
              Locale.ROOT,
              "%-34s process %d %s: %s",
              "",
              tree.path("process").asInt(),
              what,
              tree.path("why").asText()));
    }
  }

  /** Without the time: the summary. */
  void plain(String text) {
    synchronized (out) {
      if (silent) {
        return;
      }
      out.println(text);
      out.flush();
    }
  }
}
