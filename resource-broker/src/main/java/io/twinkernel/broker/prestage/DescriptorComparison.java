package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.prestage.OpenFile.Kind;
import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Compares descriptors of a stopped process with what its copy has by the same numbers. */
final class DescriptorComparison {
  /** Of what /proc says that a socket or pipe is, in bytes. */
  private static final int MOST_TARGET = 64;

  /** The longest path that the kernel tells. */
  private static final int MOST_PATH = 4096;

  private final int pid;
  private final Fd folder;
  private final Set<Integer> others = new TreeSet<>();
  private final Set<Integer> restated = new TreeSet<>();
  private final Map<Integer, String> renamed = new TreeMap<>();
  private Optional<String> obstacle = Optional.empty();

  /**
   * @param folder the process's {@code /proc/PID/fd}
   */
  DescriptorComparison(int pid, Fd folder) {
    this.pid = pid;
    this.folder = folder;
  }

  /** Those that are other files now. */
  Set<Integer> others() {
    return others;
  }

  /** Those that say something else of themselves, of which a copy can be told. */
  Set<Integer> restated() {
    return restated;
  }

  /** Files that have other names now: by descriptor. */
  Map<Integer, String> renamed() {
    return renamed;
  }

  /** What no copy can be told of; empty if there is nothing. */
  Optional<String> obstacle() {
    return obstacle;
  }

  /**
   * What a batch says of one.
   *
   * @param same the call that compares the files; -1 for none
   * @param link the call that reads what it is; -1 for none
   * @param target where that is
   * @param said the call that reads what it says of itself, -1 for none; and where that is
   */
  private record Asked(
      int number, OpenFile file, int same, int link, int target, int said, int place) {}

  /**
   * @param files by number, all of which are open
   */
  void run(Collection<Map.Entry<Integer, OpenFile>> files) throws IOException {
    int room = 0;
    for (var entry : files) {
      // For a link also its name.
      room += entry.getValue().room() + room(entry.getValue()) + 3 * Long.BYTES;
    }
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 2 * files.size(), room);
      var asked = new ArrayList<Asked>(files.size());
      for (var entry : files) {
        asked.add(ask(batch, entry.getKey(), entry.getValue()));
      }
      batch.run();
      compare(batch, asked);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.EBADF)) {
        throw e;
      }
      obstacle = Optional.of("a descriptor was closed");
    }
  }

  private static int room(OpenFile file) {
    return file.kind() == Kind.FILE ? MOST_PATH : MOST_TARGET;
  }

  private Asked ask(CallBatch batch, int number, OpenFile file) {
    boolean held = file.fd().isPresent();
    int same = held ? Processes.compareFiles(batch, file.held(), pid, number) : -1;
    int link = -1;
    int target = 0;
    if (!held || file.kind() == Kind.FILE) {
      target = batch.room(room(file));
      link = Processes.target(batch, folder, number, target, room(file));
    }
    int said = -1;
    int place = 0;
    if (file.details().isPresent()) {
      place = batch.room(file.room());
      said = file.details().get().read(batch, place, file.room());
    }
    return new Asked(number, file, same, link, target, said, place);
  }

  private void compare(CallBatch batch, List<Asked> asked) {
    for (Asked one : asked) {
      if (!isSame(batch, one)) {
        others.add(one.number());
      } else if (saysOtherwise(batch, one)) {
        if (one.file().kind() == Kind.OTHER) {
          obstacle = Optional.of("descriptor " + one.number() + " has changed");
          return;
        }
        restated.add(one.number());
      } else if (one.file().kind() == Kind.FILE) {
        String name = link(batch, one);
        if (!name.equals(one.file().target())) {
          renamed.put(one.number(), name);
        }
      }
    }
  }

  private static boolean isSame(CallBatch batch, Asked asked) {
    return asked.same() < 0
        ? link(batch, asked).equals(asked.file().target())
        : batch.result(asked.same()) == 0;
  }

  private static String link(CallBatch batch, Asked asked) {
    return new String(batch.bytes(asked.target(), (int) batch.result(asked.link())), UTF_8);
  }

  private static boolean saysOtherwise(CallBatch batch, Asked asked) {
    return asked.said() >= 0
        && !Arrays.equals(
            batch.bytes(asked.place(), (int) batch.result(asked.said())), asked.file().info());
  }
}
