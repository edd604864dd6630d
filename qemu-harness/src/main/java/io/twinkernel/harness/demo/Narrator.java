package io.twinkernel.harness.demo;

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
