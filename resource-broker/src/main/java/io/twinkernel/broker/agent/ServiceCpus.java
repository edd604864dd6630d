package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.CpuList;
import io.twinkernel.broker.cpu.PinnedThreads;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.PidNamespace;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which CPUs the service's threads and cgroups are kept on, as STAGE and TRACE of {@link FrameType}
 * carry it: by their APIC ids, for each kernel numbers CPUs in its own way.
 *
 * @param threads only those that are kept anywhere
 * @param cgroups likewise, parents before those below them
 */
record ServiceCpus(List<Kept> threads, List<Group> cgroups) {
  /** Of a cgroup, what may run in it. */
  private static final String CPUSET = "/cpuset.cpus";

  private static final String CGROUP = "cgroup";
  private static final String PROCESS = "process";
  private static final String THREAD = "thread";
  private static final String APIC_IDS = "apic_ids";

  /**
   * A thread.
   *
   * @param process its process, by A's number
   * @param thread the number that it has in the PID namespace that it is in
   */
  record Kept(int process, int thread, List<Integer> apicIds) {
    Kept {
      apicIds = List.copyOf(apicIds);
    }
  }

  /**
   * A cgroup with a cpuset.
   *
   * @param path of its directory
   */
  record Group(String path, List<Integer> apicIds) {
    Group {
      apicIds = List.copyOf(apicIds);
    }
  }

  ServiceCpus {
    threads = List.copyOf(threads);
    cgroups = List.copyOf(cgroups);
  }

  /**
   * A: what is now, but that CPUs which B has count as if they were here. Where that cannot be
   * found out nothing is kept anywhere.
   *
   * @param layout with the service's cgroups
   */
  static ServiceCpus of(Service service, CgroupLayout layout) {
    try {
      return find(service, layout);
    } catch (IOException e) {
      KernelLog.say("threads will run on any CPU: " + e.getMessage());
      return new ServiceCpus(List.of(), List.of());
    }
  }

  private static ServiceCpus find(Service service, CgroupLayout layout) throws IOException {
    PinnedThreads pinned = PinnedThreads.read();
    var threads = new ArrayList<Kept>();
    for (ServiceProcess process : service.processes().processes()) {
      for (Map.Entry<String, List<Integer>> kept : pinned.keptOn(process.pid()).entrySet()) {
        Optional<Integer> number = numberInside(kept.getKey());
        if (number.isPresent()) {
          threads.add(new Kept(process.pid(), number.get(), kept.getValue()));
        }
      }
    }
    var cgroups = new ArrayList<Group>();
    for (CgroupLayout.Group group : layout.groups()) {
      Optional<String> cpus = SysFiles.readIfThere(group.path() + CPUSET).map(String::strip);
      if (cpus.isPresent() && !cpus.get().isEmpty()) {
        cgroups.add(new Group(group.path(), pinned.apicIds(CpuList.parse(cpus.get()))));
      }
    }
    return new ServiceCpus(threads, cgroups);
  }

  /** The number of a thread in the PID namespace that it is in; empty if it has ended. */
  static Optional<Integer> numberInside(String folder) throws IOException {
    return SysFiles.readIfThere(folder + "/status").flatMap(PidNamespace::inner);
  }

  Map<String, Object> toJson() {
    return Map.of(
        "threads",
        threads.stream()
            .map(
                one ->
                    Map.of(PROCESS, one.process(), THREAD, one.thread(), APIC_IDS, one.apicIds()))
            .toList(),
        "cgroups",
        cgroups.stream().map(one -> Map.of(CGROUP, one.path(), APIC_IDS, one.apicIds())).toList());
  }

  static ServiceCpus read(Fields cpus) throws MalformedMessageException {
    var threads = new ArrayList<Kept>();
    for (Fields one : cpus.objects("threads")) {
      threads.add(
          new Kept((int) one.number(PROCESS), (int) one.number(THREAD), one.numbers(APIC_IDS)));
    }
    var cgroups = new ArrayList<Group>();
    for (Fields one : cpus.objects("cgroups")) {
      cgroups.add(new Group(one.text(CGROUP), one.numbers(APIC_IDS)));
    }
    return new ServiceCpus(threads, cgroups);
  }

  /**
   * The same with other numbers for processes.
   *
   * @param pids new ones by old ones; what is not among them stays as it is
   */
  ServiceCpus renumbered(Map<Integer, Integer> pids) {
    return new ServiceCpus(
        threads.stream()
            .map(
                one ->
                    new Kept(
                        pids.getOrDefault(one.process(), one.process()),
                        one.thread(),
                        one.apicIds()))
            .toList(),
        cgroups);
  }
}
