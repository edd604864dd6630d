package io.twinkernel.broker.process;

import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which process is in which cgroup, and the cgroups' limits. CRIU restores all processes in the
 * cgroup that it is in itself; afterwards this puts them where they were. What names devices or
 * CPUs (io.max, cpuset.cpus) is left out: both are numbered anew in the other kernel.
 *
 * @param groups parents before those below them
 */
public record CgroupLayout(List<Group> groups) {
  /** Files of a cgroup's limits, with what stands there when nothing is limited. */
  private static final Map<String, String> LIMITS =
      Map.of(
          "memory.max", "max",
          "memory.high", "max",
          "memory.low", "0",
          "memory.min", "0",
          "memory.swap.max", "max",
          "pids.max", "max",
          "cpu.max", "max 100000",
          "cpu.weight", "100");

  /**
   * A cgroup.
   *
   * @param path of its directory
   * @param pids of the processes in it
   * @param limits content by file name
   */
  public record Group(String path, List<Integer> pids, Map<String, String> limits) {
    /** Keeps the collections from changing. */
    public Group {
      pids = List.copyOf(pids);
      limits = Map.copyOf(limits);
    }
  }

  /** Keeps the list from changing. */
  public CgroupLayout {
    groups = List.copyOf(groups);
  }

  /**
   * Reads cgroups and those below them.
   *
   * @param roots directories of a cgroup v2 hierarchy
   */
  public static CgroupLayout read(List<Path> roots) throws IOException {
    var groups = new ArrayList<Group>();
    for (Path root : roots) {
      collect(root, groups);
    }
    return new CgroupLayout(groups);
  }

  private static void collect(Path cgroup, List<Group> into) throws IOException {
    var pids = new ArrayList<Integer>();
    for (String pid : SysFiles.read(cgroup + "/cgroup.procs").lines().toList()) {
      pids.add(Integer.valueOf(pid));
    }
    var limits = new LinkedHashMap<String, String>();
    for (Map.Entry<String, String> limit : LIMITS.entrySet()) {
      Path file = cgroup.resolve(limit.getKey());
      if (Files.exists(file)) {
        String value = SysFiles.read(file.toString()).strip();
        if (!value.equals(limit.getValue())) {
          limits.put(limit.getKey(), value);
        }
      }
    }
    into.add(new Group(cgroup.toString(), pids, limits));
    try (DirectoryStream<Path> children = Files.newDirectoryStream(cgroup)) {
      for (Path child : children) {
        if (Files.isDirectory(child)) {
          collect(child, into);
        }
      }
    }
  }

  /**
   * Makes the cgroups that are missing, puts the processes in and sets the limits. One that has
   * ended since is left out. Goes on after a failure.
   *
   * @return what failed; empty if all went well
   */
  public List<String> apply() {
    var failures = new ArrayList<String>();
    for (Group group : groups) {
      attempt(failures, () -> Files.createDirectories(Path.of(group.path())));
      for (int pid : group.pids()) {
        attempt(failures, () -> move(pid, group.path()));
      }
    }
    // Controllers last: a cgroup that has them for those below it may hold no process itself.
    for (Group group : groups) {
      for (String controller : controllers(group)) {
        attempt(failures, () -> enable(Path.of(group.path()), controller));
      }
      for (Map.Entry<String, String> limit : group.limits().entrySet()) {
        attempt(
            failures, () -> SysFiles.write(group.path() + "/" + limit.getKey(), limit.getValue()));
      }
    }
    return List.copyOf(failures);
  }

  /**
   * The same with other numbers for processes.
   *
   * @param pids new ones by old ones; what is not among them stays as it is
   */
  public CgroupLayout renumbered(Map<Integer, Integer> pids) {
    return new CgroupLayout(
        groups.stream()
            .map(
                group ->
                    new Group(
                        group.path(),
                        group.pids().stream().map(pid -> pids.getOrDefault(pid, pid)).toList(),
                        group.limits()))
            .toList());
  }

  private static Set<String> controllers(Group group) {
    var names = new TreeSet<String>();
    for (String file : group.limits().keySet()) {
      names.add(file.substring(0, file.indexOf('.')));
    }
    return names;
  }

  /** From the top of the hierarchy down to the cgroup's parent. */
  private static void enable(Path cgroup, String controller) throws IOException {
    if (Files.readString(cgroup.resolve("cgroup.controllers")).contains(controller)) {
      return;
    }
    Path parent = cgroup.getParent();
    if (parent == null || !Files.exists(parent.resolve("cgroup.controllers"))) {
      throw new IOException("this kernel has no cgroup controller " + controller);
    }
    enable(parent, controller);
    SysFiles.write(parent + "/cgroup.subtree_control", "+" + controller);
  }

  private static void move(int pid, String cgroup) throws SyscallException {
    try {
      SysFiles.write(cgroup + "/cgroup.procs", Integer.toString(pid));
    } catch (SyscallException e) {
      if (!e.errno().name().equals("ESRCH")) {
        throw e;
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(List<String> failures, Step step) {
    try {
      step.run();
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
    }
  }
}
