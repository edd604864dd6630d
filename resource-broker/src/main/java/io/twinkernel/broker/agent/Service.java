package io.twinkernel.broker.agent;

import io.twinkernel.broker.policy.Moves;
import io.twinkernel.broker.policy.Policy;
import io.twinkernel.broker.policy.ProcReader;
import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.PidNamespace;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The processes that move: all in some cgroup v2 directories and below them. */
final class Service {
  /** Only a process that waits for a device takes longer than an instant to stop. */
  private static final Duration STOP = Duration.ofSeconds(5);

  private final List<CgroupFreezer> cgroups;

  /** Those of one cgroup. */
  Service(Path cgroup) {
    this(List.of(cgroup));
  }

  /**
   * @param cgroups none below another
   */
  Service(List<Path> cgroups) {
    this.cgroups = cgroups.stream().map(CgroupFreezer::new).toList();
  }

  /** Those that the policy moves. */
  static Service of(NodeConf conf) throws IOException {
    return of(conf, (int) ProcessHandle.current().pid());
  }

  /**
   * Likewise.
   *
   * @param broker its process
   */
  static Service of(NodeConf conf, int broker) throws IOException {
    return new Service(
        Moves.of(
                Policy.read(conf.serviceCgroup()),
                new ProcReader(Path.of("/proc")).processes(),
                broker)
            .cgroups());
  }

  /** The processes now. */
  ProcessTree processes() throws IOException {
    var processes = new ArrayList<ServiceProcess>();
    for (CgroupFreezer one : cgroups) {
      processes.addAll(ProcessTree.of(one.cgroup()).processes());
    }
    return new ProcessTree(processes);
  }

  /** The processes whose parent does not move with them; each is the root of a tree. */
  List<Integer> roots() throws IOException {
    var roots = new ArrayList<Integer>();
    for (ServiceProcess process : processes().roots()) {
      roots.add(process.pid());
    }
    return List.copyOf(roots);
  }

  /**
   * The numbers that their threads keep when they move: of all but those in a PID namespace of
   * their own.
   */
  List<Long> threads() throws IOException {
    var threads = new ArrayList<Long>();
    var namespaces = new PidNamespace(Path.of("/proc"));
    for (ServiceProcess process : processes().processes()) {
      if (namespaces.isOwn(process.pid())) {
        continue;
      }
      try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/task"))) {
        for (Path task : tasks) {
          threads.add(Long.valueOf(task.getFileName().toString()));
        }
      } catch (NoSuchFileException | DirectoryIteratorException e) {
        // It ended: its numbers are free.
      }
    }
    return List.copyOf(threads);
  }

  /**
   * Their cgroups now, with all but the processes that are in a PID namespace of their own: these
   * have other numbers in another kernel.
   */
  CgroupLayout layout() throws IOException {
    CgroupLayout layout = CgroupLayout.read(cgroups.stream().map(CgroupFreezer::cgroup).toList());
    var namespaces = new PidNamespace(Path.of("/proc"));
    var groups = new ArrayList<CgroupLayout.Group>();
    for (CgroupLayout.Group group : layout.groups()) {
      var pids = new ArrayList<Integer>();
      for (int pid : group.pids()) {
        if (!namespaces.isOwn(pid)) {
          pids.add(pid);
        }
      }
      groups.add(new CgroupLayout.Group(group.path(), pids, group.limits()));
    }
    return new CgroupLayout(groups);
  }

  /**
   * Stops them all; returns when none runs any more.
   *
   * @return those that were stopped
   */
  ProcessTree stop() throws IOException {
    return stop(Optional.empty());
  }

  /**
   * Likewise.
   *
   * @param known of the only process; empty if there are others, or it is not known
   */
  ProcessTree stop(Optional<CgroupFreezer.Watch> known) throws IOException {
    return cgroups.size() == 1
        ? cgroups.getFirst().stop(STOP, known)
        : CgroupFreezer.stop(cgroups, STOP);
  }

  /** Lets them all go on, also where a broker died as it was about to stop them. */
  void release() throws IOException {
    var failed = new IOException("not all cgroups of the service go on");
    for (CgroupFreezer one : cgroups) {
      try {
        one.thaw();
        one.resume();
      } catch (IOException e) {
        failed.addSuppressed(e);
      }
    }
    if (failed.getSuppressed().length > 0) {
      throw failed;
    }
  }

  /** Lets them all go on. */
  void resume() throws IOException {
    for (CgroupFreezer one : cgroups) {
      one.resume();
    }
  }

  /** Ends them all, stopped or not; their connections say nothing, the NIC is gone. */
  void kill() throws IOException {
    for (CgroupFreezer one : cgroups) {
      one.kill();
    }
  }
}
