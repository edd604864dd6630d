package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.prestage.OpenFile.Kind;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a process has open, as its copy in the other kernel has it, to be compared with what the
 * process has open later, and read without the process's help.
 *
 * <p>Sockets and pipes are held open here only while the process is stopped: one that it closes is
 * closed then, as its peer is to see, and no epoll tells of it any more.
 */
final class OpenFiles implements AutoCloseable {
  private final int pid;
  private final Fd folder;
  private final TreeMap<Integer, OpenFile> files = new TreeMap<>();
  private final DiskFiles onDisk;

  /** Sockets and pipes among them, while the process is stopped. */
  private final Map<Integer, Fd> ends = new TreeMap<>();

  private Difference difference = Difference.NONE;
  private HalfClosed halves = HalfClosed.NONE;

  /**
   * What {@link #changed} has found that the copy is to be told of.
   *
   * @param gone descriptors that were closed, or are other files now
   * @param fresh what was opened since
   * @param restated what waits for something else, or counts otherwise
   * @param renamed files on the disk that have other names now
   * @param coming what was opened, too, but is nothing yet that the copy can be told of, and why
   */
  private record Difference(
      Set<Integer> gone,
      Map<Integer, OpenFile> fresh,
      Set<Integer> restated,
      Map<Integer, String> renamed,
      Map<Integer, String> coming) {
    static final Difference NONE = new Difference(Set.of(), Map.of(), Set.of(), Map.of(), Map.of());

    /** Nobody is to be told of it. */
    void close() throws IOException {
      for (OpenFile file : fresh.values()) {
        file.close();
      }
    }
  }

  private OpenFiles(int pid, String disk, Fd folder) {
    this.pid = pid;
    this.folder = folder;
    this.onDisk = new DiskFiles(pid, disk, files);
  }

  /**
   * Takes note of all that a stopped process has open.
   *
   * @param disk where the disk is mounted that goes over at the switch; empty for none
   * @throws Unstageable if one of them is of a kind that only a full dump carries over
   */
  static OpenFiles hold(int pid, String disk) throws IOException {
    return hold(pid, pid, disk);
  }

  /**
   * Takes note of all that a stopped fork of a process has open, to compare it with what the
   * process has open later.
   *
   * @throws Unstageable likewise, and if it holds a lock, which a fork does not inherit
   */
  static OpenFiles holdFork(int pid, int fork, String disk) throws IOException {
    for (int number : Descriptors.numbers(pid)) {
      if (SysFiles.readIfThere(Descriptors.info(pid, number)).orElse("").contains("\nlock:")) {
        throw new Unstageable("it has locked descriptor " + number);
      }
    }
    return hold(pid, fork, disk);
  }

  private static OpenFiles hold(int pid, int source, String disk) throws IOException {
    var held = new OpenFiles(pid, disk, Fd.open("/proc/" + pid + "/fd", Linux.O_RDONLY()));
    try (Fd process = Processes.open(source)) {
      for (int number : Descriptors.numbers(source)) {
        held.files.put(number, OpenFile.of(pid, source, process, number));
      }
      return held;
    } catch (IOException | RuntimeException e) {
      held.close();
      throw e;
    }
  }

  /** The other kernel can have these connections that are half closed; without it, none. */
  void allow(HalfClosed those) {
    halves = those;
  }

  /** Those on the disk that goes over. */
  DiskFiles onDisk() {
    return onDisk;
  }

  /**
   * Its connections, also those that {@link #changed} has just found.
   *
   * @param found receives what /proc says that each is
   * @return why one cannot be told of: no copy can take a connection twice, no two copies can take
   *     it; empty if all can
   */
  Optional<String> shared(Set<String> found) {
    var own = new TreeMap<String, Integer>();
    for (var entry : current().entrySet()) {
      Optional<String> shared = isShared(entry.getKey(), entry.getValue(), own, found);
      if (shared.isPresent()) {
        return shared;
      }
    }
    found.addAll(own.keySet());
    return Optional.empty();
  }

  /** What the copy has, and what it can be told of besides. */
  private Map<Integer, OpenFile> current() {
    var current = new TreeMap<>(files);
    current.keySet().removeAll(difference.gone());
    current.putAll(difference.fresh());
    return current;
  }

  private static Optional<String> isShared(
      int number, OpenFile file, Map<String, Integer> own, Set<String> found) {
    if (file.kind() != Kind.CONNECTION) {
      return Optional.empty();
    }
    Integer other = own.put(file.target(), number);
    if (other != null) {
      return Optional.of("connection " + number + " is descriptor " + other + ", too");
    }
    return found.contains(file.target())
        ? Optional.of("connection " + number + " is another process's, too")
        : Optional.empty();
  }

  /** Descriptors of one kind, lowest first. */
  List<Integer> of(Kind kind) {
    return files.entrySet().stream()
        .filter(entry -> entry.getValue().kind() == kind)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** This process's own descriptor of it; of a socket, only between a look and {@link #letGo}. */
  Fd get(int number) {
    Fd end = ends.get(number);
    if (end != null) {
      return end;
    }
    OpenFile file = files.get(number);
    if (file == null || file.fd().isEmpty()) {
      throw new IllegalArgumentException("descriptor " + number + " is not held");
    }
    return file.fd().get();
  }

  /**
   * Compares. What the copy can be told of is what {@link #tell} returns; what else of it cannot be
   * brought over by a delta any more is said here; empty if nothing.
   *
   * <p>The process is stopped, and stays so until {@link #letGo}. What can come from outside all
   * the same, and what is on its way, is looked at by {@link #arrived}.
   */
  Optional<String> changed() throws IOException {
    letGo();
    var now = new TreeSet<>(Descriptors.numbers(pid));
    var gone = new TreeSet<>(files.keySet());
    gone.removeAll(now);
    var stayed = new TreeMap<>(files);
    stayed.keySet().retainAll(now);
    var comparison = new DescriptorComparison(pid, folder);
    comparison.run(stayed.entrySet());
    if (comparison.obstacle().isPresent()) {
      return comparison.obstacle();
    }
    gone.addAll(comparison.others());
    Optional<String> renamed = renamed(comparison.renamed());
    if (renamed.isPresent()) {
      return renamed;
    }
    stayed.keySet().removeAll(gone);
    takeEnds(now, stayed);
    difference =
        new Difference(
            gone, new TreeMap<>(), comparison.restated(), comparison.renamed(), new TreeMap<>());
    for (int number : now) {
      if (!stayed.containsKey(number)) {
        Optional<OpenFile> file = openFresh(number);
        if (file.isPresent()) {
          difference.fresh().put(number, file.get());
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Of a file flags are watched for, the offset goes over, and on the disk it is opened by its name
   * at the switch.
   */
  private Optional<String> renamed(Map<Integer, String> names) {
    for (Map.Entry<Integer, String> entry : names.entrySet()) {
      OpenFile file = Objects.requireNonNull(files.get(entry.getKey()));
      String name = entry.getValue();
      if (!onDisk.has(file) || !onDisk.isOnDisk(name) || name.endsWith(Descriptors.DELETED)) {
        return Optional.of(file.target() + ", descriptor " + entry.getKey() + ", is " + name);
      }
    }
    return Optional.empty();
  }

  /** Of all that have another end, and of all that are not known yet. */
  private void takeEnds(Set<Integer> now, Map<Integer, OpenFile> stayed) throws IOException {
    var wanted = new ArrayList<Integer>();
    for (int number : now) {
      OpenFile file = stayed.get(number);
      if (file == null || file.fd().isEmpty()) {
        wanted.add(number);
      }
    }
    try (Fd process = Processes.open(pid)) {
      List<Fd> taken = Processes.descriptors(process, wanted);
      for (int i = 0; i < taken.size(); i++) {
        ends.put(wanted.get(i), taken.get(i));
      }
    }
  }

  /** What was opened since the copy was told of all; empty if it cannot be told of this one. */
  private Optional<OpenFile> openFresh(int number) throws IOException {
    String target = Descriptors.target(pid, number);
    Kind kind;
    try {
      kind = Descriptors.kind(get(number), number, target);
    } catch (Unstageable e) {
      difference.coming().put(number, e.getMessage() + ": " + target);
      return Optional.empty();
    }
    return switch (kind) {
      case CONNECTION -> Optional.of(OpenFile.withOtherEnd(kind, target, get(number)));
      case EPOLL -> {
        Fd epoll = Objects.requireNonNull(ends.remove(number));
        yield Optional.of(OpenFile.epoll(pid, number, target, epoll));
      }
      case FILE -> {
        if (!onDisk.isOnDisk(target)) {
          difference.coming().put(number, isNew(number, target));
          yield Optional.empty();
        }
        yield Optional.of(unwatched(kind, number, target));
      }
      case TIMER -> {
        if (isKnownTimer(get(number))) {
          difference.coming().put(number, isNew(number, target));
          yield Optional.empty();
        }
        yield Optional.of(unwatched(kind, number, target));
      }
      case LISTENER, QUEUE, COUNTER, OTHER -> {
        // Most of what a server opens, it closes soon.
        difference.coming().put(number, isNew(number, target));
        yield Optional.empty();
      }
    };
  }

  /** Whether another descriptor is the same: the copy would have two. */
  private boolean isKnownTimer(Fd timer) throws IOException {
    for (OpenFile file : current().values()) {
      if (file.kind() == Kind.TIMER && Processes.areOne(timer, file.held())) {
        return true;
      }
    }
    return false;
  }

  private OpenFile unwatched(Kind kind, int number, String target) throws IOException {
    byte[] said = OpenFile.said(pid, number);
    return OpenFile.unwatched(kind, target, Objects.requireNonNull(ends.remove(number)), said);
  }

  private static String isNew(int number, String target) {
    return "descriptor " + number + ", " + target + ", is new";
  }

  /** Whether {@link #changed} has found others on the disk, or by other names. */
  boolean changedOnDisk() {
    boolean changed = !difference.renamed().isEmpty();
    for (int number : difference.gone()) {
      OpenFile file = files.get(number);
      changed |= file != null && onDisk.has(file);
    }
    for (OpenFile file : difference.fresh().values()) {
      changed |= onDisk.has(file);
    }
    return changed;
  }

  /** The process may go on: what it closes then is closed. */
  void letGo() throws IOException {
    difference.close();
    difference = Difference.NONE;
    for (Fd end : ends.values()) {
      end.close();
    }
    ends.clear();
  }

  /**
   * Of those whose options or flags the process has set: which the copy cannot be told of; empty if
   * there is none.
   */
  Optional<String> setOtherwise(Set<Integer> set) {
    for (int number : set) {
      OpenFile file = files.get(number);
      if (file != null && file.kind() != Kind.CONNECTION && !difference.gone().contains(number)) {
        return Optional.of("the options of descriptor " + number + " were set");
      }
    }
    return Optional.empty();
  }

  /**
   * What {@link #changed} has found, for the copy, which has it from here on. What is on its way it
   * is not told of yet, nor that an epoll waits for that.
   *
   * @param set descriptors whose options or flags the process has set
   */
  DescriptorChanges tell(Set<Integer> set) throws IOException {
    Difference found = difference;
    difference = new Difference(Set.of(), Map.of(), Set.of(), Map.of(), found.coming());
    for (int number : found.gone()) {
      OpenFile file = files.remove(number);
      if (file != null) {
        file.close();
      }
    }
    var connections = new ArrayList<DescriptorChanges.Connection>();
    var epolls = new ArrayList<DescriptorChanges.Epoll>();
    var counters = new ArrayList<DescriptorChanges.Counter>();
    var timers = new ArrayList<DescriptorChanges.Timer>();
    files.putAll(found.fresh());
    for (Map.Entry<Integer, String> renamed : found.renamed().entrySet()) {
      OpenFile file = Objects.requireNonNull(files.get(renamed.getKey()));
      files.put(renamed.getKey(), file.named(renamed.getValue()));
    }
    var told = new TreeSet<Integer>(found.restated());
    told.addAll(found.fresh().keySet());
    for (int number : set) {
      if (files.containsKey(number)) {
        told.add(number);
      }
    }
    Map<Integer, String> targets = told.isEmpty() ? Map.of() : targets();
    for (int number : told) {
      OpenFile file = Objects.requireNonNull(files.get(number));
      byte[] info = OpenFile.said(pid, number);
      String said = new String(info, UTF_8);
      switch (file.kind()) {
        case CONNECTION -> connections.add(connection(number, said, set.contains(number)));
        case EPOLL -> {
          List<EpollInterest> all = EpollInterest.parse(said);
          List<EpollInterest> known = known(all);
          EpollInterest.check(number, known, targets);
          int flags = DiskFile.flags(said) & Linux.O_CLOEXEC();
          epolls.add(new DescriptorChanges.Epoll(number, flags, known));
          info = known.size() == all.size() ? info : new byte[0];
        }
        case COUNTER ->
            counters.add(new DescriptorChanges.Counter(number, EventCounter.parse(said)));
        case FILE -> {
          // It is among those on the disk.
          continue;
        }
        case TIMER -> {
          timers.add(timer(number, said));
          continue;
        }
        case LISTENER, QUEUE, OTHER -> throw new IllegalStateException(file.toString());
      }
      files.put(number, file.saying(info));
    }
    return new DescriptorChanges(
        pid, List.copyOf(found.gone()), connections, epolls, counters, timers, Optional.empty());
  }

  private DescriptorChanges.Connection connection(int number, String said, boolean all)
      throws IOException {
    int flags = DiskFile.flags(said) & ~Linux.O_RDWR();
    int carried = Linux.O_NONBLOCK() | Linux.O_CLOEXEC();
    if ((flags & ~carried) != 0) {
      throw new Unstageable(
          "connection " + number + " has the flags 0" + Integer.toOctalString(flags));
    }
    int family = Sockets.option(get(number), Linux.SOL_SOCKET(), Linux.SO_DOMAIN());
    return new DescriptorChanges.Connection(
        number, flags, family, ConnectionOptions.of(get(number), family, all));
  }

  private static DescriptorChanges.Timer timer(int number, String said) throws IOException {
    int carried = Linux.O_NONBLOCK() | Linux.O_CLOEXEC();
    return new DescriptorChanges.Timer(
        number, DiskFile.flags(said) & carried, TimerState.clock(said));
  }

  /** Without what is on its way. */
  private List<EpollInterest> known(List<EpollInterest> interests) {
    var known = new ArrayList<EpollInterest>();
    for (EpollInterest interest : interests) {
      if (!difference.coming().containsKey(interest.descriptor())) {
        known.add(interest);
      }
    }
    return known;
  }

  private Map<Integer, String> targets() {
    var targets = new TreeMap<Integer, String>();
    for (var entry : files.entrySet()) {
      targets.put(entry.getKey(), entry.getValue().target());
    }
    return targets;
  }

  /**
   * As {@link #changed}, which came before, of what comes without the process's help, and of what
   * it has just opened and cannot be told of yet.
   */
  Optional<String> arrived() throws IOException {
    for (String coming : difference.coming().values()) {
      return Optional.of(coming);
    }
    var all = new ArrayList<Arrivals.Looked>(files.size());
    for (var entry : current().entrySet()) {
      if (entry.getValue().kind().hasOtherEnd()) {
        all.add(new Arrivals.Looked(entry.getKey(), entry.getValue(), get(entry.getKey())));
      }
    }
    return Arrivals.first(all, halves);
  }

  /** {@link DescriptorStates#of}. */
  Map<Integer, String> states() {
    return DescriptorStates.of(files);
  }

  @Override
  public void close() throws IOException {
    letGo();
    for (OpenFile file : files.values()) {
      file.close();
    }
    files.clear();
    folder.close();
  }
}
