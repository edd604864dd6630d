package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Limits of a kernel (Documentation/admin-guide/sysctl): B is to have none that is lower than A's.
 * What was within A's may not even be restored otherwise, and many of them a kernel works out from
 * the memory that it starts with, of which B has little. Any other sysctl is B's image's to set.
 */
final class KernelLimits {
  private static final Path SYSCTL = Path.of("/proc/sys");

  /** Of each the value is one number, or several that are all of this kind. */
  private static final List<String> NAMES =
      List.of(
          "kernel/pid_max",
          "kernel/threads-max",
          "kernel/sem",
          "kernel/shmall",
          "kernel/shmmax",
          "kernel/shmmni",
          "kernel/msgmax",
          "kernel/msgmnb",
          "kernel/msgmni",
          "kernel/keys/maxkeys",
          "kernel/keys/maxbytes",
          "fs/file-max",
          "fs/nr_open",
          "fs/mount-max",
          "fs/aio-max-nr",
          "fs/pipe-max-size",
          "fs/epoll/max_user_watches",
          "fs/inotify/max_queued_events",
          "fs/inotify/max_user_instances",
          "fs/inotify/max_user_watches",
          "fs/mqueue/msg_max",
          "fs/mqueue/msgsize_max",
          "fs/mqueue/queues_max",
          "vm/max_map_count",
          "net/core/somaxconn",
          "net/core/netdev_max_backlog",
          "net/core/optmem_max",
          "net/core/rmem_max",
          "net/core/wmem_max",
          "net/ipv4/tcp_max_orphans",
          "net/ipv4/tcp_max_syn_backlog",
          "net/ipv4/tcp_max_tw_buckets",
          "net/ipv4/tcp_mem",
          "net/ipv4/tcp_rmem",
          "net/ipv4/tcp_wmem",
          "net/ipv4/udp_mem",
          "net/unix/max_dgram_qlen",
          "user/max_ipc_namespaces",
          "user/max_mnt_namespaces",
          "user/max_pid_namespaces",
          "user/max_time_namespaces",
          "user/max_uts_namespaces");

  private final Path sysctl;

  KernelLimits() {
    this(SYSCTL);
  }

  /**
   * @param sysctl /proc/sys
   */
  KernelLimits(Path sysctl) {
    this.sysctl = sysctl;
  }

  /** A: what this kernel has, by name; what it has not is left out. */
  Map<String, String> read() {
    var limits = new TreeMap<String, String>();
    for (String name : NAMES) {
      Path file = sysctl.resolve(name);
      try {
        SysFiles.readIfThere(file.toString()).ifPresent(value -> limits.put(name, value.strip()));
      } catch (IOException e) {
        KernelLog.say("a limit cannot be told: " + e.getMessage());
      }
    }
    return limits;
  }

  /**
   * B: raises what is lower here. Goes on after a failure.
   *
   * @param there what {@link #read} returned in A
   * @return what failed; empty if all went well
   * @throws MalformedMessageException if it is something else
   */
  List<String> raise(Fields there) throws MalformedMessageException {
    var failures = new ArrayList<String>();
    for (String name : NAMES) {
      String wanted = there.text(name, "");
      Path file = sysctl.resolve(name);
      if (wanted.isEmpty() || !Files.exists(file)) {
        continue;
      }
      try {
        String own = SysFiles.read(file.toString()).strip();
        String higher = higher(own, wanted);
        if (!higher.equals(higher(own, own))) {
          SysFiles.write(file.toString(), higher);
        }
      } catch (IOException e) {
        failures.add(String.valueOf(e.getMessage()));
      } catch (NumberFormatException e) {
        failures.add(name + ": " + e.getMessage());
      }
    }
    return List.copyOf(failures);
  }

  /**
   * Of each number the higher one; of such as only this kernel has, its own.
   *
   * @throws NumberFormatException if one is none
   */
  private static String higher(String own, String other) {
    String[] mine = own.split("\\s+", -1);
    String[] theirs = other.split("\\s+", -1);
    var higher = new ArrayList<String>();
    for (int i = 0; i < mine.length; i++) {
      long least = Long.parseUnsignedLong(mine[i]);
      if (i < theirs.length) {
        long wanted = Long.parseUnsignedLong(theirs[i]);
        least = Long.compareUnsigned(wanted, least) > 0 ? wanted : least;
      }
      higher.add(Long.toUnsignedString(least));
    }
    return String.join(" ", higher);
  }
}
