package io.twinkernel.broker.process;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The processes of a cgroup and the cgroups below it.
 *
 * @param processes each once, in the order of the kernel's lists
 */
public record ProcessTree(List<ServiceProcess> processes) {

  private static final long PAGE = 4096;

  /** How a cgroup.stat begins (Documentation/admin-guide/cgroup-v2.rst). */
  private static final String NOTHING_BELOW = "nr_descendants 0\n";

  /** Keeps the list from changing. */
  public ProcessTree {
    processes = List.copyOf(processes);
  }

  /**
   * The processes that are in a cgroup now; those that end while they are read are left out.
   *
   * @param cgroup a directory of a cgroup v2 hierarchy
   */
  public static ProcessTree of(Path cgroup) throws IOException {
    List<ServiceProcess> processes = new ArrayList<>();
    collect(cgroup, processes);
    return new ProcessTree(processes);
  }

  /** One process; fails with ENOENT where there is none. */
  public static ServiceProcess read(int pid) throws IOException {
    return parse(SysFiles.read("/proc/" + pid + "/stat"));
  }

  /**
   * One process or thread.
   *
   * @param stat its file of that name in procfs
   * @return empty if it has ended
   */
  static Optional<ServiceProcess> readIfThere(String stat) throws IOException {
    Optional<String> line = SysFiles.readIfThere(stat);
    return line.isEmpty() ? Optional.empty() : Optional.of(parse(line.get()));
  }

  /** The processes whose parents are outside: CRIU takes a tree by its root. */
  public List<ServiceProcess> roots() {
    List<ServiceProcess> roots = new ArrayList<>();
    for (ServiceProcess process : processes) {
      boolean inside = false;
      for (ServiceProcess other : processes) {
        inside |= other.pid() == process.parent();
      }
      if (!inside) {
        roots.add(process);
      }
    }
    return roots;
  }

  /**
   * One tree.
   *
   * @param root one of {@link #roots}
   * @return the root and all below it, a parent before its children
   */
  public List<ServiceProcess> below(int root) {
    List<ServiceProcess> tree = new ArrayList<>();
    for (ServiceProcess process : processes) {
      if (process.pid() == root) {
        tree.add(process);
      }
    }
    for (int i = 0; i < tree.size(); i++) {
      for (ServiceProcess process : processes) {
        if (process.parent() == tree.get(i).pid()) {
          tree.add(process);
        }
      }
    }
    return List.copyOf(tree);
  }

  /** Memory of all, shared pages counted for each. */
  public long residentBytes() {
    long sum = 0;
    for (ServiceProcess process : processes) {
      sum += process.residentBytes();
    }
    return sum;
  }

  private static void collect(Path cgroup, List<ServiceProcess> into) throws IOException {
    String pids = SysFiles.read(cgroup + "/cgroup.procs");
    for (int from = 0, to; (to = pids.indexOf('\n', from)) >= 0; from = to + 1) {
      int pid = Integer.parseInt(pids, from, to, 10);
      Optional<ServiceProcess> process = readIfThere("/proc/" + pid + "/stat");
      if (process.isPresent()) {
        into.add(process.get());
      }
    }
    // It has dozens of files besides, each of which would be asked what it is.
    if (SysFiles.read(cgroup + "/cgroup.stat").startsWith(NOTHING_BELOW)) {
      return;
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(cgroup)) {
      for (Path child : children) {
        if (Files.isDirectory(child)) {
          collect(child, into);
        }
      }
    }
  }

  /** A name may contain spaces and parentheses: the last parenthesis ends it. */
  static ServiceProcess parse(String stat) throws IOException {
    int open = stat.indexOf('(');
    int close = stat.lastIndexOf(')');
    if (open < 2 || close < open || close + 2 >= stat.length()) {
      throw new IOException("'" + stat.strip() + "' is not a line of /proc/PID/stat");
    }
    int pid = Integer.parseInt(stat, 0, open - 1, 10);
    char state = stat.charAt(close + 2);
    // Fields 4 parent, 20 threads, 24 resident pages; the state is field 3.
    long[] fields = new long[25];
    int field = 4;
    for (int from = close + 4; field < fields.length && from < stat.length(); field++) {
      int to = stat.indexOf(' ', from);
      if (to < 0) {
        throw new IOException("'" + stat.strip() + "' ends after field " + field);
      }
      // Some fields are unsigned 64-bit numbers; none of those that are wanted.
      if (field == 4 || field == 20 || field == 24) {
        fields[field] = Long.parseLong(stat, from, to, 10);
      }
      from = to + 1;
    }
    String name = stat.substring(open + 1, close);
    return new ServiceProcess(
        pid, (int) fields[4], name, state, fields[24] * PAGE, (int) fields[20]);
  }
}
