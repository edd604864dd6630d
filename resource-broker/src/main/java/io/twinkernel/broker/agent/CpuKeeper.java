package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.AllowedCpus;
import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.PinnedThreads;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * B: has the threads and cgroups that came kept on the CPUs that they were kept on, once this
 * kernel has all there are; until then they run on any. What has been given other CPUs meanwhile is
 * left alone.
 */
final class CpuKeeper {
  private static final String UPTIME = "/proc/uptime";

  private final ServiceCpus wanted;
  private final Where where;
  private final long resumedNanos;

  /** Finds the processes. */
  @FunctionalInterface
  interface Where {
    Service find() throws IOException;
  }

  /** A thread that is to be put somewhere. */
  private record Move(String folder, List<Integer> cpus) {}

  /**
   * @param wanted with the numbers that processes have here
   * @param resumedNanos {@link System#nanoTime} at which the processes began to run here
   */
  CpuKeeper(ServiceCpus wanted, Where where, long resumedNanos) {
    this.wanted = wanted;
    this.where = where;
    this.resumedNanos = resumedNanos;
  }

  /** When the processes began to run here, after the kernel's start. */
  private Duration resumed() throws IOException {
    String text = SysFiles.read(UPTIME);
    double seconds = Double.parseDouble(text.substring(0, text.indexOf(' ')));
    return Duration.ofMillis((long) (seconds * 1e3)).minusNanos(System.nanoTime() - resumedNanos);
  }

  /**
   * Does it, with the CPUs that are online now. Goes on after a failure.
   *
   * @return what failed; empty if all went well
   */
  List<String> keep() {
    var failures = new ArrayList<String>();
    try {
      Map<Integer, Integer> cpus = cpus();
      // On kernels before 6.2 a cpuset says anew where threads run: they are looked at before.
      List<Move> moves = wanted.threads().isEmpty() ? List.of() : moves(cpus);
      if (!wanted.cgroups().isEmpty()) {
        keepCgroups(cpus, failures);
      }
      for (Move move : moves) {
        attempt(failures, () -> AllowedCpus.keep(move.folder(), move.cpus()));
      }
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
    }
    return List.copyOf(failures);
  }

  /** As there, what else runs here loses where it is kept when cpusets come to be. */
  private void keepCgroups(Map<Integer, Integer> cpus, List<String> failures) throws IOException {
    PinnedThreads others = PinnedThreads.note();
    for (ServiceCpus.Group group : wanted.cgroups()) {
      attempt(failures, () -> keep(group, here(cpus, group.apicIds())));
    }
    others.restore();
  }

  /** A part of it. */
  @FunctionalInterface
  private interface Part {
    void run() throws IOException;
  }

  private static void attempt(List<String> failures, Part part) {
    try {
      part.run();
    } catch (SyscallException e) {
      // It may have ended.
      if (!e.errno().equals(Errno.ESRCH)) {
        failures.add(String.valueOf(e.getMessage()));
      }
    } catch (IOException e) {
      failures.add(String.valueOf(e.getMessage()));
    }
  }

  /** This kernel's numbers by APIC id. */
  private static Map<Integer, Integer> cpus() throws IOException {
    var cpus = new HashMap<Integer, Integer>();
    ApicIds.read().forEach((cpu, id) -> cpus.put(id, cpu));
    return cpus;
  }

  private static List<Integer> here(Map<Integer, Integer> cpus, List<Integer> apicIds) {
    var here = new TreeSet<Integer>();
    for (int id : apicIds) {
      Integer cpu = cpus.get(id);
      if (cpu != null) {
        here.add(cpu);
      }
    }
    return List.copyOf(here);
  }

  private static void keep(ServiceCpus.Group group, List<Integer> cpus) throws IOException {
    Path path = Path.of(group.path());
    CgroupLayout.enable(path, "cpuset");
    String file = path.resolve("cpuset.cpus").toString();
    if (!cpus.isEmpty() && SysFiles.read(file).isBlank()) {
      SysFiles.write(file, String.join(",", cpus.stream().map(String::valueOf).toList()));
    }
  }

  private List<Move> moves(Map<Integer, Integer> cpus) throws IOException {
    var targets = new HashMap<Integer, Map<Integer, List<Integer>>>();
    for (ServiceCpus.Kept one : wanted.threads()) {
      List<Integer> here = here(cpus, one.apicIds());
      if (!here.isEmpty()) {
        targets.computeIfAbsent(one.process(), _ -> new HashMap<>()).put(one.thread(), here);
      }
    }
    var moves = new ArrayList<Move>();
    ProcessTree tree = where.find().processes();
    Duration resumed = resumed();
    // What has begun since runs where the first thread of its process does, or of its parent.
    var first = new HashMap<Integer, List<Integer>>();
    for (ServiceProcess root : tree.roots()) {
      for (ServiceProcess process : tree.below(root.pid())) {
        int pid = process.pid();
        Map<Integer, List<Integer>> own = targets.getOrDefault(pid, Map.of());
        Optional<Integer> number = ServiceCpus.numberInside(PinnedThreads.PROC + "/" + pid);
        List<Integer> inherited =
            isYoung(PinnedThreads.PROC + "/" + pid, resumed)
                ? first.getOrDefault(process.parent(), List.of())
                : number.map(own::get).orElse(List.of());
        first.put(pid, inherited);
        moves(pid, own, inherited, resumed, cpus.values(), moves);
      }
    }
    return moves;
  }

  private void moves(
      int process,
      Map<Integer, List<Integer>> targets,
      List<Integer> inherited,
      Duration resumed,
      Collection<Integer> all,
      List<Move> moves)
      throws IOException {
    Optional<List<Integer>> unpinned = AllowedCpus.unpinned(process, all);
    if (unpinned.isEmpty()) {
      return;
    }
    for (String folder : PinnedThreads.threads(process)) {
      Optional<List<Integer>> now = AllowedCpus.of(folder);
      Optional<Integer> number = ServiceCpus.numberInside(folder);
      if (now.isEmpty() || number.isEmpty()) {
        continue;
      }
      List<Integer> target =
          isYoung(folder, resumed) ? inherited : targets.getOrDefault(number.get(), List.of());
      if (!target.isEmpty() && now.get().containsAll(unpinned.get())) {
        moves.add(new Move(folder, target));
      }
    }
  }

  /** Whether a process or thread has begun since; that of one that has ended does not matter. */
  private static boolean isYoung(String folder, Duration resumed) throws IOException {
    Optional<Duration> start = PinnedThreads.start(folder);
    return start.isPresent() && start.get().compareTo(resumed) > 0;
  }
}
