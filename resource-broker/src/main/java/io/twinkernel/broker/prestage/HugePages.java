package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ImageFindings;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Transparent huge pages of processes that were restored. CRIU dumps whether a process does without
 * (PR_SET_THP_DISABLE, as Redis does), and forgets it when it restores that: it would wait for
 * pages to be cleared, and what it changes would be counted by two megabytes.
 */
public final class HugePages {
  private HugePages() {}

  /**
   * Has the processes do without that did.
   *
   * @param images that they were restored from; they are stopped
   * @param here their numbers in this kernel by those in the images, where these are others
   */
  public static void forbidAsBefore(Path images, Map<Integer, Integer> here) throws IOException {
    for (int process : ImageFindings.withoutHugePages(images)) {
      forbid(here.getOrDefault(process, process));
    }
  }

  /** Has a stopped process do without; it stays stopped. */
  static void forbid(int pid) throws IOException {
    long instruction = Vdso.systemCall(pid, MemoryMap.read(pid).areas());
    // A filter may end a process for calls that are none of its own.
    boolean filtered = !SysFiles.read("/proc/" + pid + "/status").contains("\nSeccomp:\t0\n");
    Ptrace.seize(pid, filtered ? Linux.PTRACE_O_SUSPEND_SECCOMP() : 0);
    try {
      if (!Ptrace.await(pid).stopped()) {
        throw new IOException("process " + pid + " has ended");
      }
      new RemoteCall(pid, instruction)
          .call("prctl", "PR_SET_THP_DISABLE", Linux.__NR_prctl(), Linux.PR_SET_THP_DISABLE(), 1);
    } finally {
      Ptrace.detach(pid);
    }
  }
}
