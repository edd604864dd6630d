package io.twinkernel.broker.agent;

import io.twinkernel.broker.policy.Container;
import io.twinkernel.broker.process.ContainerMounts;
import io.twinkernel.broker.process.PidNamespace;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.Mounts;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The containers that go over, as {@link FrameType#STAGE} carries them: where the root of each is
 * in the image, and which numbers its processes have in it.
 *
 * @param byRoot by the number that A has for a container's first process
 */
record StagedContainers(Map<Integer, Staged> byRoot) {
  private static final Path ROOTS = Path.of("/run/twin/containers");
  private static final PidNamespace PIDS = new PidNamespace(Path.of("/proc"));

  /**
   * A container.
   *
   * @param mounts what this kernel has for it
   * @param numbers by those that its processes have in it, A's; empty if it has no PID namespace of
   *     its own
   */
  record Staged(ContainerMounts mounts, Map<Integer, Integer> numbers) {
    Staged {
      numbers = Map.copyOf(numbers);
    }
  }

  StagedContainers {
    byRoot = Map.copyOf(byRoot);
  }

  /** A: what to send. */
  static List<Map<String, Object>> toJson(List<Container> containers) throws IOException {
    var list = new ArrayList<Map<String, Object>>();
    for (Container container : containers) {
      var processes = new ArrayList<Map<String, Object>>();
      if (PIDS.isOwn(container.pid())) {
        PIDS.numbers(container.pid())
            .forEach((inner, pid) -> processes.add(Map.of("inner", inner, "pid", pid)));
      }
      list.add(
          Map.of(
              "pid",
              container.pid(),
              "root",
              container.mounts().root().toString(),
              "flags",
              container.mounts().flags(),
              "devices",
              container.mounts().devices(),
              "processes",
              processes));
    }
    return list;
  }

  /**
   * B: what A sent.
   *
   * @throws IOException if a root is not in this kernel's image
   */
  static StagedContainers read(Fields stage) throws IOException {
    var containers = new HashMap<Integer, Staged>();
    for (Fields container : stage.objects("containers")) {
      int pid = (int) container.number("pid");
      Path root = Path.of(container.text("root"));
      if (!Files.isDirectory(root)) {
        throw new IOException(
            "the root of container " + pid + ", " + root + ", is not in kernel B's image");
      }
      var devices = new HashMap<String, String>();
      Fields named = container.object("devices");
      for (String point : named.values().keySet()) {
        devices.put(point, named.text(point));
      }
      var mounts = new ContainerMounts(root, container.number("flags"), devices);
      containers.put(pid, new Staged(mounts, numbers(container)));
    }
    return new StagedContainers(containers);
  }

  /**
   * B: mounts the root of each as it was in A. CRIU takes it as it is mounted here: before 4.2 it
   * does not make it read-only itself.
   *
   * @return with the roots where they are mounted now
   */
  StagedContainers mounted() throws IOException {
    var mounted = new HashMap<Integer, Staged>();
    for (Map.Entry<Integer, Staged> one : byRoot.entrySet()) {
      ContainerMounts there = one.getValue().mounts();
      Path root = Files.createDirectories(ROOTS.resolve(one.getKey().toString()));
      Mounts.mount(there.root().toString(), root.toString(), "", Linux.MS_BIND(), "");
      Mounts.mount(
          "", root.toString(), "", Linux.MS_BIND() | Linux.MS_REMOUNT() | there.flags(), "");
      mounted.put(
          one.getKey(),
          new Staged(
              new ContainerMounts(root, there.flags(), there.devices()), one.getValue().numbers()));
    }
    return new StagedContainers(mounted);
  }

  /** Undoes {@link #mounted}: a container that was restored has mounts of its own. */
  void unmount() {
    for (Staged container : byRoot.values()) {
      Path root = container.mounts().root();
      try {
        Mounts.unmount(root.toString(), Linux.MNT_DETACH());
        Files.delete(root);
      } catch (IOException e) {
        // It shows a directory of the image once more, and that is all.
        KernelLog.say("a container's root stays mounted: " + e.getMessage());
      }
    }
  }

  private static Map<Integer, Integer> numbers(Fields container) throws MalformedMessageException {
    var numbers = new HashMap<Integer, Integer>();
    for (Fields process : container.objects("processes")) {
      numbers.put((int) process.number("inner"), (int) process.number("pid"));
    }
    return numbers;
  }

  /** This kernel's numbers of a container's processes, by those that they have in it. */
  static Map<Integer, Integer> inside(int root) throws IOException {
    return PIDS.isOwn(root) ? PIDS.numbers(root) : Map.of();
  }

  /**
   * A: the roots of trees in the order in which to restore them: containers last, for they take
   * numbers outside that happen to be free, and the others need theirs.
   */
  static List<Integer> inOrder(Set<Integer> containers, Collection<Integer> roots) {
    var order = new ArrayList<Integer>();
    var last = new ArrayList<Integer>();
    for (int root : roots) {
      (containers.contains(root) ? last : order).add(root);
    }
    order.addAll(last);
    return List.copyOf(order);
  }

  /**
   * B: the numbers that the containers' processes have here, by A's.
   *
   * @param restored this kernel's number of each tree's root, by A's
   */
  Map<Integer, Integer> here(Map<Integer, Integer> restored) {
    var here = new HashMap<Integer, Integer>();
    for (Map.Entry<Integer, Staged> one : byRoot.entrySet()) {
      Integer root = restored.get(one.getKey());
      Map<Integer, Integer> numbers = one.getValue().numbers();
      if (root == null || numbers.isEmpty()) {
        continue;
      }
      try {
        here.putAll(pairs(numbers, PIDS.numbers(root)));
      } catch (IOException e) {
        KernelLog.say("a container's processes stay in the service's cgroup: " + e.getMessage());
      }
    }
    return Map.copyOf(here);
  }

  /** This kernel's number by the other one's; of one that is not here any more there is none. */
  static Map<Integer, Integer> pairs(Map<Integer, Integer> there, Map<Integer, Integer> here) {
    var pairs = new HashMap<Integer, Integer>();
    there.forEach(
        (inner, pid) -> {
          Integer now = here.get(inner);
          if (now != null) {
            pairs.put(pid, now);
          }
        });
    return pairs;
  }
}
