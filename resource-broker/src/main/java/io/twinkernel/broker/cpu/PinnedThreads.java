package io.twinkernel.broker.cpu;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which threads are kept on which CPUs, from before this kernel lets CPUs go: it forgets that of a
 * thread that is to run when the last of its CPUs is offline (select_fallback_rq(),
 * kernel/sched/core.c), and before 6.2 of all that are in a cpuset. Then the thread may run
 * anywhere: whoever has let one run anywhere himself meanwhile, finds it where it was. And which
 * CPU is which, as /proc/cpuinfo does not tell of those that are offline. Written down, for a
 * program that starts anew after this one died.
 */
public final class PinnedThreads {
  private static final Path RECORD = Path.of("/run/twin/pinned-threads");

  /** Where threads have their folders. */
  public static final Path PROC = Path.of("/proc");

  /** USER_HZ: what /proc/PID/stat says of time is in its periods. */
  private static final Duration TICK = Duration.ofMillis(10);

  /** The parent of the kernel's own threads, which stay where they are. */
  private static final int KTHREADD = 2;

  /**
   * It has ended, with its cgroup perhaps, or is the kernel's, or its cpuset has other CPUs now.
   */
  private static final Set<Errno> PASSES =
      Set.of(Errno.ESRCH, Errno.ENOENT, Errno.ENODEV, Errno.EINVAL);

  /** Of /proc/PID/stat, after the name: parent, and when it started, in ticks. */
  private static final int PARENT = 1;

  private static final int START = 19;

  /**
   * A thread.
   *
   * @param folder of it in procfs
   * @param start when it began: another one may get its number
   * @param cpus where it was kept when all were there
   */
  record Pinned(String folder, long start, List<Integer> cpus) {
    Pinned {
      cpus = List.copyOf(cpus);
    }

    int process() {
      int from = PROC.toString().length() + 1;
      return Integer.parseInt(folder, from, folder.indexOf('/', from), 10);
    }

    String line() {
      String list = cpus.stream().map(String::valueOf).collect(Collectors.joining(","));
      return folder + " " + start + " " + list + "\n";
    }
  }

  private final Path record;
  private final Map<Integer, Integer> apicIds;
  private final Map<String, Pinned> pinned;

  private PinnedThreads(Path record, Map<Integer, Integer> apicIds, Map<String, Pinned> pinned) {
    this.record = record;
    this.apicIds = apicIds;
    this.pinned = pinned;
  }

  /** Notes them now, when all CPUs are here. */
  public static PinnedThreads note() throws IOException {
    return note(RECORD);
  }

  static PinnedThreads note(Path record) throws IOException {
    Map<Integer, Integer> apicIds = ApicIds.read();
    var noted = new PinnedThreads(record, apicIds, find(apicIds.keySet()));
    noted.write();
    return noted;
  }

  /** What is written down; if nothing is, no CPU has gone. */
  public static PinnedThreads read() throws IOException {
    return read(RECORD);
  }

  static PinnedThreads read(Path record) throws IOException {
    if (!Files.exists(record)) {
      return new PinnedThreads(record, ApicIds.read(), Map.of());
    }
    var apicIds = new TreeMap<Integer, Integer>();
    var pinned = new LinkedHashMap<String, Pinned>();
    for (String line : Files.readAllLines(record, StandardCharsets.US_ASCII)) {
      String[] words = line.split(" ", -1);
      try {
        if (words.length == 2) {
          apicIds.put(Integer.valueOf(words[0]), Integer.valueOf(words[1]));
        } else {
          long start = Long.parseLong(words[1]);
          var one = new Pinned(words[0], start, CpuList.parse(words[2]));
          pinned.put(one.folder(), one);
        }
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        throw new IOException(record + ": '" + line + "' is damaged", e);
      }
    }
    return new PinnedThreads(record, apicIds, pinned);
  }

  private void write() throws IOException {
    var text = new StringBuilder();
    apicIds.forEach((cpu, id) -> text.append(cpu).append(' ').append(id).append('\n'));
    pinned.values().forEach(one -> text.append(one.line()));
    Path whole = record.resolveSibling(record.getFileName() + ".new");
    Files.writeString(whole, text, StandardCharsets.US_ASCII);
    Files.move(whole, record, StandardCopyOption.ATOMIC_MOVE);
  }

  private static Map<String, Pinned> find(Collection<Integer> all) throws IOException {
    var found = new LinkedHashMap<String, Pinned>();
    try (var processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        find(Integer.parseInt(process.getFileName().toString()), all, found);
      }
    }
    return found;
  }

  private static void find(int process, Collection<Integer> all, Map<String, Pinned> found)
      throws IOException {
    Optional<String[]> stat = stat(PROC + "/" + process);
    if (stat.isEmpty() || process == KTHREADD || Integer.parseInt(stat.get()[PARENT]) == KTHREADD) {
      return;
    }
    Optional<List<Integer>> unpinned = AllowedCpus.unpinned(process, all);
    if (unpinned.isEmpty()) {
      return;
    }
    for (String folder : threads(process)) {
      Optional<List<Integer>> cpus = AllowedCpus.of(folder);
      Optional<String[]> own = stat(folder);
      if (cpus.isPresent() && own.isPresent() && !cpus.get().containsAll(unpinned.get())) {
        long start = Long.parseLong(own.get()[START]);
        found.put(folder, new Pinned(folder, start, cpus.get()));
      }
    }
  }

  /**
   * The folders of a process's threads in procfs.
   *
   * @return empty if it has ended
   */
  public static List<String> threads(int process) throws IOException {
    var folders = new ArrayList<String>();
    try (var tasks = Files.newDirectoryStream(PROC.resolve(process + "/task"))) {
      tasks.forEach(task -> folders.add(task.toString()));
    } catch (NoSuchFileException | DirectoryIteratorException e) {
      // It has ended.
    }
    return List.copyOf(folders);
  }

  /**
   * When a process or thread began, after the kernel's start, to 10 ms.
   *
   * @param folder of it in procfs
   * @return empty if it has ended
   */
  public static Optional<Duration> start(String folder) throws IOException {
    return stat(folder).map(fields -> TICK.multipliedBy(Long.parseLong(fields[START])));
  }

  private static Optional<String[]> stat(String folder) throws IOException {
    return SysFiles.readIfThere(folder + "/stat")
        .map(stat -> stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1))
        .filter(fields -> fields.length > START);
  }

  /** Where it is kept now; empty if it has ended. */
  private static Optional<List<Integer>> now(Pinned one) throws IOException {
    Optional<String[]> stat = stat(one.folder());
    return stat.isPresent() && Long.parseLong(stat.get()[START]) == one.start()
        ? AllowedCpus.of(one.folder())
        : Optional.empty();
  }

  /**
   * The CPUs that a process's threads are to be kept on, by their APIC ids: where they were before
   * CPUs went, or, if they have been given others since, those.
   *
   * @return by the threads' folders in procfs; without those that are not kept anywhere
   */
  public Map<String, List<Integer>> keptOn(int process) throws IOException {
    var kept = new LinkedHashMap<String, List<Integer>>();
    Optional<List<Integer>> unpinned = AllowedCpus.unpinned(process, apicIds.keySet());
    if (unpinned.isEmpty()) {
      return kept;
    }
    for (String folder : threads(process)) {
      Optional<List<Integer>> now = AllowedCpus.of(folder);
      Pinned known = pinned.get(folder);
      if (now.isPresent() && !now.get().containsAll(unpinned.get())) {
        kept.put(folder, apicIds(now.get()));
      } else if (now.isPresent() && known != null && now(known).isPresent()) {
        kept.put(folder, apicIds(known.cpus()));
      }
    }
    return kept;
  }

  /** Those of CPUs by this kernel's numbers; of one that it never had there is none. */
  public List<Integer> apicIds(List<Integer> cpus) {
    var ids = new ArrayList<Integer>();
    for (int cpu : cpus) {
      Integer id = apicIds.get(cpu);
      if (id != null) {
        ids.add(id);
      }
    }
    return List.copyOf(ids);
  }

  /**
   * The CPUs are back: has the threads kept where they were, but for those that have been given
   * others since.
   *
   * @throws IOException naming the threads that are not
   */
  public void restore() throws IOException {
    var failures = new ArrayList<String>();
    var settled = new HashSet<Integer>();
    for (Pinned one : pinned.values()) {
      try {
        if (settled.add(one.process())) {
          AllowedCpus.settle(one.process());
        }
        Optional<List<Integer>> now = now(one);
        Optional<List<Integer>> unpinned = AllowedCpus.unpinned(one.process(), apicIds.keySet());
        if (now.isPresent() && unpinned.isPresent() && now.get().containsAll(unpinned.get())) {
          AllowedCpus.keep(one.folder(), one.cpus());
        }
      } catch (SyscallException e) {
        if (!PASSES.contains(e.errno())) {
          failures.add(String.valueOf(e.getMessage()));
        }
      }
    }
    Files.deleteIfExists(record);
    if (!failures.isEmpty()) {
      throw new IOException("threads run on other CPUs than before: " + failures);
    }
  }
}
