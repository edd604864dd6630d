package io.twinkernel.broker.process;

import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Which process is in which cgroup, and the cgroups' limits. CRIU restores all processes in the
 * cgroup that it is in itself; afterwards this puts them where they were. What names devices or
 * CPUs (io.max, cpuset.cpus) is not among them: both are numbered anew in the other kernel.
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

  /** Without all other processes. */
  public CgroupLayout only(Set<Integer> processes) {
    return with(pids -> pids.filter(processes::contains));
  }

  /** The same with other processes in each. */
  private CgroupLayout with(UnaryOperator<Stream<Integer>> change) {
    return new CgroupLayout(
        groups.stream()
            .map(
                group ->
                    new Group(
                        group.path(), change.apply(group.pids().stream()).toList(), group.limits()))
            .toList());
  }

  /**
   * Makes the cgroups that are missing, puts the processes in and sets the limits. One that has
   * ended since is left out. Goes on after a failure.
   *
   * @param born where the processes were until now, and those are that they have had since
   * @return what failed; empty if all went well
   */
  public List<String> apply(Path born) {
    var failures = new ArrayList<String>();
    for (Group group : groups) {
      attempt(failures, () -> Files.createDirectories(Path.of(group.path())));
      for (int pid : group.pids()) {
        attempt(failures, () -> move(pid, group.path()));
      }
    }
    attempt(failures, () -> bringTogether(born));
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
    return with(old -> old.map(pid -> pids.getOrDefault(pid, pid)));
  }

  /**
   * A child that a process has had before it was put into its cgroup is to be there, too. Those
   * that it has from now on are.
   */
  private void bringTogether(Path born) throws IOException {
    var homes = new HashMap<Integer, String>();
    for (Group group : groups) {
      group.pids().forEach(pid -> homes.put(pid, group.path()));
    }
    for (String line : SysFiles.read(born + "/cgroup.procs").lines().toList()) {
      int pid = Integer.parseInt(line);
      Optional<String> home = homes.containsKey(pid) ? Optional.empty() : home(pid, homes);
      if (home.isPresent()) {
        move(pid, home.get());
      }
    }
  }

  /** The cgroup of the nearest one above a process that has one. */
  private static Optional<String> home(int pid, Map<Integer, String> homes) throws IOException {
    Optional<ServiceProcess> at = ProcessTree.readIfThere("/proc/" + pid + "/stat");
    while (at.isPresent() && at.get().parent() > 1) {
      String home = homes.get(at.get().parent());
      if (home != null) {
        return Optional.of(home);
      }
      at = ProcessTree.readIfThere("/proc/" + at.get().parent() + "/stat");
    }
    return Optional.empty();
  }

  /**
   * With what a later look found: of each cgroup the processes of both, and the limits that it has
   * by then.
   */
  public CgroupLayout joined(CgroupLayout later) {
    var joined = new LinkedHashMap<String, Group>();
    for (Group group : groups) {
      joined.put(group.path(), group);
    }
    for (Group group : later.groups) {
      var pids = new LinkedHashSet<Integer>();
      Group before = joined.get(group.path());
      if (before != null) {
        pids.addAll(before.pids());
      }
      pids.addAll(group.pids());
      joined.put(group.path(), new Group(group.path(), List.copyOf(pids), group.limits()));
    }
    return new CgroupLayout(List.copyOf(joined.values()));
  }

  private static Set<String> controllers(Group group) {
    var names = new TreeSet<String>();
    for (String file : group.limits().keySet()) {
      names.add(file.substring(0, file.indexOf('.')));
    }
    return names;
  }

  /** Has a cgroup have a controller: from the top of the hierarchy down to the cgroup's parent. */
  public static void enable(Path cgroup, String controller) throws IOException {
    String there = Files.readString(cgroup.resolve("cgroup.controllers"));
    if (List.of(there.strip().split(" ")).contains(controller)) {
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
