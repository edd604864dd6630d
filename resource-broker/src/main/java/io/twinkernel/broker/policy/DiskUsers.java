package io.twinkernel.broker.policy;

import io.twinkernel.broker.disk.Mount;
import io.twinkernel.broker.plan.Refusal;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Who keeps a disk from going over: it takes no process along that does not move itself. */
public final class DiskUsers {
  private static final String LEAVE = "end it, or have the policy move it, too";

  private final ProcReader reader;
  private final String point;
  private final String device;
  private final Obstacles obstacles = new Obstacles();

  private DiskUsers(ProcReader reader, String point, String device) {
    this.reader = reader;
    this.point = point;
    this.device = device;
  }

  /**
   * Looks at every process that stays.
   *
   * @param self PID of this broker, whose mounts count
   * @param point where the disk is mounted
   * @return what is in the way; empty also if nothing is mounted there
   */
  public static List<Refusal> check(ProcReader reader, Moves moves, int self, String point)
      throws IOException {
    for (Mount mount : reader.mounts(self).values()) {
      if (mount.point().equals(point)) {
        var users = new DiskUsers(reader, point, mount.device());
        for (ProcessFacts process : moves.others()) {
          users.check(process);
        }
        return users.obstacles.all();
      }
    }
    return List.of();
  }

  private void check(ProcessFacts process) throws IOException {
    Map<Integer, Mount> mounts = reader.mounts(process.pid());
    Set<Integer> ids =
        mounts.values().stream()
            .filter(mount -> mount.device().equals(device))
            .map(Mount::id)
            .collect(Collectors.toSet());
    if (mounts.values().stream().anyMatch(this::elsewhere)) {
      obstacles.add(
          process, "it has the disk of " + point + " mounted in a mount namespace", LEAVE);
    }
    for (Descriptor descriptor : reader.descriptors(process.pid())) {
      if (ids.contains(descriptor.mount()) && descriptor.hasPath()) {
        obstacles.add(process, descriptor, "a file on the disk that moves, of one that stays");
      }
    }
    for (Mapping mapping : reader.mappings(process.pid())) {
      if (mapping.name().startsWith("/") && mapping.decimalDevice().equals(device)) {
        obstacles.add(process, mapping, "a file on the disk that moves, of one that stays", LEAVE);
      }
    }
    for (String place : reader.places(process.pid())) {
      if (place.equals(point) || place.startsWith(point + "/")) {
        obstacles.add(process, "it works in " + place + ", on the disk that moves", LEAVE);
      }
    }
  }

  private boolean elsewhere(Mount mount) {
    return mount.device().equals(device) && !mount.point().equals(point);
  }
}
