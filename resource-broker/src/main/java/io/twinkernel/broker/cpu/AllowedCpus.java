package io.twinkernel.broker.cpu;

import io.twinkernel.ffi.Affinity;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The CPUs that threads are kept on: by sched_setaffinity(2), or by the cpuset that they are in.
 * sched_getaffinity(2) leaves out those that are offline; /proc/PID/status does not.
 */
public final class AllowedCpus {
  private static final String LINE = "\nCpus_allowed_list:\t";
  private static final String CGROUPS = "/sys/fs/cgroup";

  /** How a line of /proc/PID/cgroup begins that tells of the unified hierarchy. */
  private static final String UNIFIED = "0::";

  private AllowedCpus() {}

  /**
   * Those of a thread, whether they are online or not.
   *
   * @param folder of it in procfs
   * @return in ascending order; empty if it has ended
   */
  public static Optional<List<Integer>> of(String folder) throws IOException {
    Optional<String> status = SysFiles.readIfThere(folder + "/status");
    return status.isEmpty() ? Optional.empty() : Optional.of(parse(status.get()));
  }

  static List<Integer> parse(String status) throws IOException {
    int at = status.indexOf(LINE);
    if (at < 0) {
      throw new IOException("this kernel does not tell on which CPUs threads may run");
    }
    int from = at + LINE.length();
    return CpuList.parse(status.substring(from, status.indexOf('\n', from)));
  }

  /**
   * Where a process's threads run that nothing else keeps: the CPUs of its cpuset that are online,
   * or, where it is in none, all.
   *
   * @param all CPUs that there are, also those that are offline
   * @return empty if it has ended
   */
  public static Optional<List<Integer>> unpinned(int process, Collection<Integer> all)
      throws IOException {
    Optional<String> path = group(process);
    if (path.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> cpuset = cpuset(path.get());
    if (cpuset.isEmpty()) {
      return Optional.of(List.copyOf(all));
    }
    return SysFiles.readIfThere(cpuset.get() + ".effective").map(CpuList::parse);
  }

  /**
   * Has the kernel do now what it has to do to the threads in a process's cpuset after CPUs came or
   * went: before 6.10 it does that when it has time, but before it takes what is written there
   * (cpuset_write_resmask(), kernel/cgroup/cpuset.c).
   */
  static void settle(int process) throws IOException {
    Optional<String> path = group(process);
    Optional<String> cpuset = path.isEmpty() ? Optional.empty() : cpuset(path.get());
    if (cpuset.isPresent()) {
      SysFiles.write(cpuset.get(), SysFiles.read(cpuset.get()));
    }
  }

  /** Its cgroup, from the root of the unified hierarchy; empty if it has ended. */
  private static Optional<String> group(int process) throws IOException {
    return SysFiles.readIfThere("/proc/" + process + "/cgroup")
        .map(
            said ->
                said.lines()
                    .filter(line -> line.startsWith(UNIFIED))
                    .map(line -> line.substring(UNIFIED.length()))
                    .findFirst()
                    .orElse("/"));
  }

  /** The file of the cpuset that a cgroup is in; empty where that is the root's. */
  private static Optional<String> cpuset(String group) {
    for (String path = group; path.length() > 1; path = path.substring(0, path.lastIndexOf('/'))) {
      String file = CGROUPS + path + "/cpuset.cpus";
      if (Files.exists(Path.of(file))) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  /**
   * Keeps a thread on CPUs.
   *
   * @param folder of it in procfs
   * @throws SyscallException as {@link #keep(int, Collection)}
   */
  public static void keep(String folder, Collection<Integer> cpus) throws SyscallException {
    int from = folder.lastIndexOf('/') + 1;
    keep(Integer.parseInt(folder, from, folder.length(), 10), cpus);
  }

  /**
   * Keeps a thread on CPUs.
   *
   * @throws SyscallException ESRCH if it has ended, EINVAL if none of them is online
   */
  public static void keep(int thread, Collection<Integer> cpus) throws SyscallException {
    var set = new BitSet();
    cpus.forEach(set::set);
    Affinity.set(thread, set);
  }
}
