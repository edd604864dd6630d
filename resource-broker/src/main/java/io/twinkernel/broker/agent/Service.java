package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The processes that move: all in one cgroup v2 directory and below it. */
final class Service {
  /** Only a process that waits for a device takes longer than an instant to stop. */
  private static final Duration STOP = Duration.ofSeconds(5);

  private final Path cgroup;
  private final CgroupFreezer freezer;

  Service(Path cgroup) {
    this.cgroup = cgroup;
    this.freezer = new CgroupFreezer(cgroup);
  }

  /** The processes whose parent does not move with them; each is the root of a tree. */
  List<Integer> roots() throws IOException {
    var roots = new ArrayList<Integer>();
    for (ServiceProcess process : ProcessTree.of(cgroup).roots()) {
      roots.add(process.pid());
    }
    return List.copyOf(roots);
  }

  /** The numbers of all their threads; they keep them when they move. */
  List<Long> threads() throws IOException {
    var threads = new ArrayList<Long>();
    for (ServiceProcess process : ProcessTree.of(cgroup).processes()) {
      try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/task"))) {
        for (Path task : tasks) {
          threads.add(Long.valueOf(task.getFileName().toString()));
        }
      }
    }
    return List.copyOf(threads);
  }

  /** Stops them all; returns when none runs any more. */
  void stop() throws IOException {
    freezer.stop(STOP);
  }

  /** Lets them all go on. */
  void resume() throws IOException {
    freezer.resume();
  }

  /** Ends them all, stopped or not; their connections say nothing, the NIC is gone. */
  void kill() throws IOException {
    SysFiles.write(cgroup.resolve("cgroup.kill").toString(), "1");
  }
}
