package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a copy must have of descriptors that was dumped while its process ran. */
final class DescriptorStates {
  /** The state of what may hold data and holds none. */
  private static final String EMPTY = "empty";

  /** Of a signalfd its signals (fs/signalfd.c). */
  private static final Pattern STATE = Pattern.compile("^sigmask:.*", Pattern.MULTILINE);

  private DescriptorStates() {}

  /** By descriptor: what some say of themselves, and that nothing is queued in others. */
  static Map<Integer, String> of(Map<Integer, OpenFile> files) {
    var states = new TreeMap<Integer, String>();
    for (var entry : files.entrySet()) {
      OpenFile file = entry.getValue();
      switch (file.kind()) {
        case OTHER -> states.put(entry.getKey(), state(new String(file.info(), UTF_8)));
        case QUEUE -> states.put(entry.getKey(), EMPTY);
        case CONNECTION, LISTENER, FILE, EPOLL, COUNTER, TIMER -> {
          // Their state comes before the switch, or is asked for then.
        }
      }
    }
    return states;
  }

  /**
   * Compares a copy with what {@link #of} said.
   *
   * @throws Unstageable naming the descriptor that says something else
   */
  static void check(int pid, Map<Integer, String> states) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (var entry : states.entrySet()) {
        int number = entry.getKey();
        String state;
        if (entry.getValue().equals(EMPTY)) {
          try (Fd fd = Processes.descriptor(process, number)) {
            state = Descriptors.queued(fd) == 0 ? EMPTY : "has data in its queue";
          }
        } else {
          state = state(SysFiles.read(Descriptors.info(pid, number)));
        }
        if (!state.equals(entry.getValue())) {
          throw new Unstageable(
              "descriptor %d changed while the process was dumped: '%s', in the copy '%s'"
                  .formatted(number, entry.getValue(), state));
        }
      }
    }
  }

  /** Of a descriptor's fdinfo, what does not depend on the kernel it is in. */
  static String state(String info) {
    var said = new TreeSet<String>();
    Matcher lines = STATE.matcher(info);
    while (lines.find()) {
      said.add(lines.group().replaceAll("\\s+", " "));
    }
    return String.join(", ", said);
  }
}
