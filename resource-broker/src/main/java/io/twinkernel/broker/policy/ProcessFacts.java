package io.twinkernel.broker.policy;

import java.util.List;
import java.util.Map;

/**
 * A process, as /proc/PID tells it (proc(5)).
 *
 * @param parent PID of its parent, 0 for none
 * @param name {@code comm}
 * @param group its process group's leader
 * @param session its session's leader
 * @param kernelThread whether it is one of the kernel's own
 * @param cgroup its cgroup v2 path without the leading slash; empty for the root
 * @param executable path of its program, empty where it has none
 * @param tracer PID of the debugger that holds it, 0 for none
 * @param ipcNamespace as {@code ipc:[4026531839]}
 * @param namespaces the others that matter, as {@code mnt:[4026531841]}; without what /proc does
 *     not tell, as of one that has ended
 * @param inner its number in the PID namespace that it is in, which is that of the machine unless
 *     {@code namespaces} says otherwise
 * @param threads numbers of its threads
 */
public record ProcessFacts(
    int pid,
    int parent,
    String name,
    int group,
    int session,
    boolean kernelThread,
    String cgroup,
    String executable,
    int tracer,
    String ipcNamespace,
    Map<Namespace, String> namespaces,
    int inner,
    List<Integer> threads) {

  /** Keeps list and map from changing. */
  public ProcessFacts {
    namespaces = Map.copyOf(namespaces);
    threads = List.copyOf(threads);
  }

  /** As refusals name it: {@code pid 812 (foo)}. */
  public String label() {
    return "pid " + pid + " (" + name + ")";
  }
}
