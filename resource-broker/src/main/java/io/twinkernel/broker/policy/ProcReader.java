package io.twinkernel.broker.policy;

import io.twinkernel.broker.disk.Mount;
import io.twinkernel.broker.process.PidNamespace;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads processes. What ends while it is read is left out. */
public final class ProcReader {
  private static final long PF_KTHREAD = 0x00200000;

  /** So often is a descriptor looked at that is another one each time. */
  private static final int MOST_LOOKS = 100;

  private final Path proc;

  /**
   * @param proc /proc
   */
  public ProcReader(Path proc) {
    this.proc = proc;
  }

  /** Every process, by number. */
  public List<ProcessFacts> processes() throws IOException {
    var found = new ArrayList<ProcessFacts>();
    for (int pid : numbers(proc)) {
      read(pid).ifPresent(found::add);
    }
    return List.copyOf(found);
  }

  private Optional<ProcessFacts> read(int pid) throws IOException {
    Path folder = folder(pid);
    try {
      String stat = Files.readString(folder.resolve("stat"));
      int close = stat.lastIndexOf(')');
      String name = stat.substring(stat.indexOf('(') + 1, close);
      // From field 3, the state, on.
      String[] fields = stat.substring(close + 2).split(" ", -1);
      String status = Files.readString(folder.resolve("status"));
      boolean kernelThread = (Long.parseLong(fields[6]) & PF_KTHREAD) != 0;
      return Optional.of(
          new ProcessFacts(
              pid,
              Integer.parseInt(fields[1]),
              name,
              Integer.parseInt(fields[2]),
              Integer.parseInt(fields[3]),
              kernelThread,
              cgroup(Files.readString(folder.resolve("cgroup"))),
              kernelThread ? "" : link(folder.resolve("exe")),
              tracer(status),
              kernelThread ? "" : link(folder.resolve("ns/ipc")),
              kernelThread ? Map.of() : namespaces(folder.resolve("ns")),
              PidNamespace.inner(status).orElse(pid),
              kernelThread ? List.of() : numbers(folder.resolve("task"))));
    } catch (IOException e) {
      if (Files.exists(folder.resolve("stat"))) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /** What a process has open. */
  List<Descriptor> descriptors(int pid) throws IOException {
    var found = new ArrayList<Descriptor>();
    Path folder = folder(pid);
    for (int number : numbers(folder.resolve("fd"))) {
      descriptor(folder, number).ifPresent(found::add);
    }
    return List.copyOf(found);
  }

  /** Empty if it was closed meanwhile, or between two looks. */
  private static Optional<Descriptor> descriptor(Path process, int number) throws IOException {
    Path entry = process.resolve("fd/" + number);
    Path info = process.resolve("fdinfo/" + number);
    for (int looks = 1; true; looks++) {
      String target = link(entry);
      Optional<String> said = SysFiles.readIfThere(info.toString());
      OptionalLong size = size(entry, target);
      if (target.isEmpty() || said.isEmpty()) {
        return Optional.empty();
      }
      // It may have been closed in between, and another file be open by its number.
      if ((size.isPresent() && target.equals(link(entry))) || looks == MOST_LOOKS) {
        return Optional.of(new Descriptor(number, target, mount(said.get()), size.orElse(0)));
      }
    }
  }

  /**
   * The memory of a process that an image holds, in bytes: what is not in files, and of what it
   * shares its part. 0 where the kernel does not tell, as of a process that has ended.
   */
  public long imageBytes(int pid) throws IOException {
    long kibibytes = 0;
    for (String line : lines(pid, "smaps_rollup")) {
      if (line.startsWith("Pss_Anon:") || line.startsWith("Pss_Shmem:")) {
        kibibytes += Long.parseLong(line.split(" +", -1)[1]);
      }
    }
    return kibibytes << 10;
  }

  /** Where the descriptors of a process lead, and no more of them. */
  List<String> targets(int pid) throws IOException {
    var found = new ArrayList<String>();
    Path fds = folder(pid).resolve("fd");
    for (int number : numbers(fds)) {
      String target = link(fds.resolve(Integer.toString(number)));
      if (!target.isEmpty()) {
        found.add(target);
      }
    }
    return List.copyOf(found);
  }

  /** The directories that a process works in and takes for its root. */
  List<String> places(int pid) throws IOException {
    return List.of(link(folder(pid).resolve("cwd")), link(folder(pid).resolve("root")));
  }

  /** The named mappings of a process. */
  List<Mapping> mappings(int pid) throws IOException {
    var found = new ArrayList<Mapping>();
    for (String line : lines(pid, "maps")) {
      Mapping mapping = Mapping.parse(line);
      if (!mapping.name().isEmpty()) {
        found.add(mapping);
      }
    }
    return List.copyOf(found);
  }

  /** The mounts that a process sees, by id; none if it has ended. */
  Map<Integer, Mount> mounts(int pid) throws IOException {
    return Mount.parse(mountLines(pid)).stream()
        .collect(Collectors.toMap(Mount::id, Function.identity(), (_, last) -> last));
  }

  private List<String> mountLines(int pid) throws IOException {
    try {
      return lines(pid, "mountinfo");
    } catch (SyscallException e) {
      // One that ends has no mount namespace any more (fs/proc_namespace.c, mounts_open_common()).
      if (e.errno().equals(Errno.EINVAL)) {
        return List.of();
      }
      throw e;
    }
  }

  /** What a process sees of files. */
  FileSpace files(ProcessFacts process, HomeNamespaces home) throws IOException {
    return new FileSpace(mounts(process.pid()), home.foreign(process, Namespace.MOUNT));
  }

  /** Whether nothing is in a directory that a process sees; it need not be one that we see. */
  boolean isEmpty(int pid, String directory) throws IOException {
    Path seen = folder(pid).resolve("root" + directory);
    try (var entries = Files.newDirectoryStream(seen)) {
      return !entries.iterator().hasNext();
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  /** What is in use of the file system that a process sees mounted somewhere; 0 if it has ended. */
  long usedBytes(int pid, String point) {
    var seen = folder(pid).resolve("root" + point).toFile();
    return seen.getTotalSpace() - seen.getFreeSpace();
  }

  /** Where one of the machine's programs lies, whatever it is by its real name; empty: nowhere. */
  Optional<Path> program(String name) throws IOException {
    Path root = Optional.ofNullable(proc.getParent()).orElse(proc);
    for (String folder : List.of("usr/bin", "bin")) {
      Path found = root.resolve(folder).resolve(name);
      if (Files.exists(found)) {
        return Optional.of(found.toRealPath());
      }
    }
    return Optional.empty();
  }

  /** The lines of one of a process's tables of sockets; none where the kernel has no such kind. */
  List<String> sockets(int pid, String table) throws IOException {
    List<String> lines = lines(pid, "net/" + table);
    return lines.isEmpty() ? lines : lines.subList(1, lines.size());
  }

  private List<String> lines(int pid, String file) throws IOException {
    return SysFiles.readIfThere(folder(pid).resolve(file).toString())
        .map(text -> text.lines().toList())
        .orElse(List.of());
  }

  private Path folder(int pid) {
    return proc.resolve(Integer.toString(pid));
  }

  private static List<Integer> numbers(Path folder) throws IOException {
    var numbers = new ArrayList<Integer>();
    try (var entries = Files.newDirectoryStream(folder, "[0-9]*")) {
      for (Path entry : entries) {
        numbers.add(Integer.valueOf(entry.getFileName().toString()));
      }
    } catch (FileSystemException e) {
      if (hasEnded(e)) {
        return List.of();
      }
      throw e;
    } catch (DirectoryIteratorException e) {
      if (Files.exists(folder)) {
        throw e.getCause();
      }
      return List.of();
    }
    numbers.sort(null);
    return List.copyOf(numbers);
  }

  /** The folder of a process that is just ending is there, and cannot be opened: ESRCH. */
  private static boolean hasEnded(FileSystemException e) {
    return e instanceof NoSuchFileException || "No such process".equals(e.getReason());
  }

  /** {@code 0::/path}: the line of the v2 hierarchy. */
  private static String cgroup(String text) {
    return text.lines()
        .filter(line -> line.startsWith("0::/"))
        .map(line -> line.substring(4))
        .findFirst()
        .orElse("");
  }

  private static int tracer(String status) {
    return status
        .lines()
        .filter(line -> line.startsWith("TracerPid:"))
        .map(line -> Integer.parseInt(line.substring(10).strip()))
        .findFirst()
        .orElse(0);
  }

  private static int mount(String info) {
    return info.lines()
        .filter(line -> line.startsWith("mnt_id:"))
        .map(line -> Integer.parseInt(line.substring(7).strip()))
        .findFirst()
        .orElse(0);
  }

  /** 0 of what is no file; empty if it is closed. */
  private static OptionalLong size(Path entry, String target) throws IOException {
    if (!target.startsWith("/")) {
      return OptionalLong.of(0);
    }
    try {
      BasicFileAttributes file = Files.readAttributes(entry, BasicFileAttributes.class);
      return OptionalLong.of(file.isRegularFile() ? file.size() : 0);
    } catch (FileSystemException e) {
      if (hasEnded(e)) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private static Map<Namespace, String> namespaces(Path folder) throws IOException {
    var found = new EnumMap<Namespace, String>(Namespace.class);
    for (Namespace kind : Namespace.all()) {
      String name = link(folder.resolve(kind.file()));
      if (!name.isEmpty()) {
        found.put(kind, name);
      }
    }
    return found;
  }

  private static String link(Path path) throws IOException {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (FileSystemException e) {
      if (hasEnded(e)) {
        return ""; // a zombie has none
      }
      throw e;
    }
  }
}
