package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What goes wrong on purpose at a step of the switch, in order to see the machine survive it.
 * Written as {@code a-fails@freeze}: whose broker, what becomes of it, and the step at the end of
 * which, as the trace names it but for numbers ({@code send-bytes}).
 */
record SwitchFault(SharedRegion.Side side, Kind kind, String step) {
  private static final Pattern WRITTEN = Pattern.compile("([ab])-([a-z]+)@([a-z]+(?:-[a-z]+)*)");
  private static final Pattern NUMBER = Pattern.compile("-[0-9]+");

  /** What becomes of a broker. */
  enum Kind {
    /** The step fails. */
    FAILS,
    /** The broker is killed. */
    DIES,
    /** The broker stands still, and so does what it has of the other kernel's. */
    HANGS,
    /** Its kernel panics. */
    PANICS
  }

  /**
   * @return empty if it is none of these
   * @throws MalformedMessageException if it is one that there is not
   */
  static Optional<SwitchFault> parse(String word) throws MalformedMessageException {
    Matcher written = WRITTEN.matcher(word);
    if (!written.matches()) {
      return Optional.empty();
    }
    var side = written.group(1).equals("a") ? SharedRegion.Side.A : SharedRegion.Side.B;
    for (Kind kind : Kind.values()) {
      if (kind.name().toLowerCase(Locale.ROOT).equals(written.group(2))) {
        // Who is to notice that A hangs or panics is outside of the machine.
        if (side == SharedRegion.Side.A && kind != Kind.FAILS && kind != Kind.DIES) {
          break;
        }
        return Optional.of(new SwitchFault(side, kind, written.group(3)));
      }
    }
    throw new MalformedMessageException(
        "no fault '" + word + "'; A's broker fails or dies, B's fails, dies, hangs or panics");
  }

  /** As it is written. */
  String word() {
    return "%s-%s@%s".formatted(side, kind, step).toLowerCase(Locale.ROOT);
  }

  /**
   * A step has ended; if it is the one, it happens.
   *
   * @throws IOException if it is the one, and fails
   */
  void strike(String ended) throws IOException {
    if (!NUMBER.matcher(ended).replaceAll("").equals(step)) {
      return;
    }
    int self = Math.toIntExact(ProcessHandle.current().pid());
    switch (kind) {
      case FAILS -> throw new IOException("the step " + ended + " fails, as was asked for");
      case DIES -> Processes.kill(self, Linux.SIGKILL());
      case HANGS -> Processes.kill(self, Linux.SIGSTOP());
      case PANICS -> SysFiles.write("/proc/sysrq-trigger", "c");
    }
    // A signal may take another thread first: this one goes no further.
    while (true) {
      LockSupport.park();
    }
  }
}
