package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a process had open when it was staged, held open here too, so that each can be compared with
 * what it has open later, and read without the process's help.
 */
final class OpenFiles implements AutoCloseable {
  /** What a descriptor is, as far as staging treats it differently. */
  enum Kind {
    /** An established TCP connection: its state goes over at the switch. */
    CONNECTION,
    /** A TCP socket that accepts connections. */
    LISTENER,
    /** A regular file: its offset goes over at the switch. */
    FILE,
    /** Pipes and other sockets: nothing may be queued in them. */
    QUEUE,
    /** What says all of its state in fdinfo, as epoll and eventfd do. */
    OTHER
  }

  /** The state of what may hold data and holds none. */
  private static final String EMPTY = "empty";

  /**
   * Of an epoll what it waits for, of an eventfd its count, of a signalfd its signals
   * (fs/eventpoll.c, fs/eventfd.c, fs/signalfd.c).
   */
  private static final Pattern STATE =
      Pattern.compile(
          "^(tfd:\\s*\\d+ events:\\s*\\p{XDigit}+ data:\\s*\\p{XDigit}+"
              + "|eventfd-count:.*|sigmask:.*)",
          Pattern.MULTILINE);

  /**
   * What says all of its state. Signals that a signalfd has not told of yet wait for the process,
   * which is looked at.
   */
  private static final Set<String> SAYING =
      Set.of("anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[signalfd]");

  /** Of what is asked of a socket, in bytes. */
  private static final int MOST_ARRIVAL = 64;

  /**
   * @param info what it said of itself
   * @param details says that; empty where that need not be compared
   * @param counts whether it says how much waits in it; what cannot be read from does not
   */
  private record OpenFile(
      Kind kind, Fd fd, String target, byte[] info, Optional<Fd> details, boolean counts) {

    /** For what it says of itself, and a byte more, in which it shows that it says more. */
    int room() {
      return details.isPresent() ? info.length + 1 : 0;
    }
  }

  private final int pid;
  private final String disk;
  private final TreeMap<Integer, OpenFile> files = new TreeMap<>();

  private OpenFiles(int pid, String disk) {
    this.pid = pid;
    this.disk = disk;
  }

  /**
   * Takes hold of all that a stopped process has open.
   *
   * @param disk where the disk is mounted that goes over at the switch; empty for none
   * @throws Unstageable if one of them is of a kind that only a full dump carries over
   */
  static OpenFiles hold(int pid, String disk) throws IOException {
    return hold(pid, pid, disk);
  }

  /**
   * Takes hold of all that a stopped fork of a process has open, to compare it with what the
   * process has open later.
   *
   * @throws Unstageable likewise, and if it holds a lock, which a fork does not inherit
   */
  static OpenFiles holdFork(int pid, int fork, String disk) throws IOException {
    for (int number : numbers(pid)) {
      if (SysFiles.readIfThere(info(pid, number)).orElse("").contains("\nlock:")) {
        throw new Unstageable("it has locked descriptor " + number);
      }
    }
    return hold(pid, fork, disk);
  }

  private static OpenFiles hold(int pid, int source, String disk) throws IOException {
    var held = new OpenFiles(pid, disk);
    try (Fd process = Processes.open(source)) {
      for (int number : numbers(source)) {
        held.files.put(number, held.open(source, process, number));
      }
      return held;
    } catch (IOException | RuntimeException e) {
      held.close();
      throw e;
    }
  }

  /**
   * @param source that has it, by this number, as the process has
   */
  private OpenFile open(int source, Fd sourceProcess, int number) throws IOException {
    try (var opened = new Opened()) {
      Fd fd = opened.add(Processes.descriptor(sourceProcess, number));
      String target = target(source, number);
      Kind kind = kind(fd, number, target);
      byte[] said = SysFiles.read(info(source, number)).getBytes(UTF_8);
      Optional<Fd> details =
          kind == Kind.OTHER
              ? Optional.of(opened.add(Fd.open(info(pid, number), Linux.O_RDONLY())))
              : Optional.empty();
      boolean counts = kind == Kind.QUEUE && count(fd).isPresent();
      opened.keep();
      return new OpenFile(kind, fd, target, said, details, counts);
    }
  }

  /** Lets connections go on that someone left in repair mode. */
  static void releaseConnections(int pid) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (int number : numbers(pid)) {
        withConnection(pid, process, number, TcpRepair::release);
      }
    }
  }

  /** What is done with a connection. */
  @FunctionalInterface
  interface WithConnection {
    void accept(Fd connection) throws IOException;
  }

  /** Does it if a process has an established TCP connection by this number. */
  static void withConnection(int pid, Fd process, int number, WithConnection then)
      throws IOException {
    if (target(pid, number).startsWith("socket:")) {
      try (Fd fd = Processes.descriptor(process, number)) {
        if (isTcp(fd) && TcpRepair.state(fd) == TcpRepair.ESTABLISHED) {
          then.accept(fd);
        }
      }
    }
  }

  /**
   * Those on the disk that goes over, as they are now.
   *
   * @param earlier of processes that may have some by the same opening
   */
  List<DiskFile> onDisk(List<OpenFiles> earlier) throws IOException {
    if (disk.isEmpty()) {
      return List.of();
    }
    var found = new ArrayList<DiskFile>();
    for (int number : of(Kind.FILE)) {
      String target = target(pid, number);
      if (isOnDisk(target)) {
        DiskFile file = DiskFile.of(pid, number, target);
        Optional<DiskFile.Opening> opening = opening(number, found, earlier);
        found.add(opening.isPresent() ? file.by(opening.get()) : file);
      }
    }
    return List.copyOf(found);
  }

  /** The first descriptor that has the same one: of other processes, then of this one. */
  private Optional<DiskFile.Opening> opening(
      int number, List<DiskFile> before, List<OpenFiles> earlier) throws IOException {
    for (OpenFiles other : earlier) {
      for (int theirs : other.of(Kind.FILE)) {
        if (isOnDisk(other.target(theirs)) && Processes.sameFile(get(number), other.pid, theirs)) {
          return Optional.of(new DiskFile.Opening(other.pid, theirs));
        }
      }
    }
    for (DiskFile mine : before) {
      if (Processes.sameFile(get(number), pid, mine.descriptor())) {
        return Optional.of(new DiskFile.Opening(pid, mine.descriptor()));
      }
    }
    return Optional.empty();
  }

  /** A connection that another process has, too, by inheritance. */
  Optional<String> sharedConnection(OpenFiles other) {
    var theirs = new TreeSet<String>();
    for (int number : other.of(Kind.CONNECTION)) {
      theirs.add(other.target(number));
    }
    for (int number : of(Kind.CONNECTION)) {
      if (theirs.contains(target(number))) {
        return Optional.of("connection " + number);
      }
    }
    return Optional.empty();
  }

  private String target(int number) {
    OpenFile file = files.get(number);
    return file == null ? "" : file.target();
  }

  private boolean isOnDisk(String target) {
    return !disk.isEmpty() && target.startsWith(disk + "/");
  }

  /** Descriptors of one kind, lowest first. */
  List<Integer> of(Kind kind) {
    return files.entrySet().stream()
        .filter(entry -> entry.getValue().kind() == kind)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** This process's own descriptor of it. */
  Fd get(int number) {
    OpenFile file = files.get(number);
    if (file == null) {
      throw new IllegalArgumentException("descriptor " + number + " was not held");
    }
    return file.fd();
  }

  /**
   * What of it cannot be brought over by a delta any more; empty if nothing.
   *
   * <p>The process is stopped. What can come from outside all the same is looked at by {@link
   * #arrived}.
   */
  Optional<String> changed() throws IOException {
    List<Integer> now = numbers(pid);
    if (!now.equals(List.copyOf(files.keySet()))) {
      return Optional.of("its descriptors were " + files.keySet() + ", are " + now);
    }
    try (Arena arena = Arena.ofConfined()) {
      int room = 0;
      for (OpenFile file : files.values()) {
        room += file.room();
      }
      var batch = new CallBatch(arena, 2 * files.size(), room + files.size() * Long.BYTES);
      var asked = new ArrayList<Asked>(files.size());
      for (var entry : files.entrySet()) {
        asked.add(ask(batch, entry.getKey(), entry.getValue()));
      }
      batch.run();
      for (Asked one : asked) {
        Optional<String> difference = difference(batch, one);
        if (difference.isPresent()) {
          return difference;
        }
      }
      return Optional.empty();
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EBADF)) {
        return Optional.of("a descriptor was closed");
      }
      throw e;
    }
  }

  /**
   * What a batch says of one.
   *
   * @param same the call that compares the files
   * @param said the call that reads what it says of itself, -1 for none; and where that is
   */
  private record Asked(int number, OpenFile file, int same, int said, int place) {}

  private Asked ask(CallBatch batch, int number, OpenFile file) {
    int same = Processes.compareFiles(batch, file.fd(), pid, number);
    if (file.details().isEmpty()) {
      return new Asked(number, file, same, -1, 0);
    }
    int place = batch.room(file.room());
    int said = file.details().get().read(batch, place, file.room());
    return new Asked(number, file, same, said, place);
  }

  private Optional<String> difference(CallBatch batch, Asked asked) throws IOException {
    int number = asked.number();
    OpenFile file = asked.file();
    if (batch.result(asked.same()) != 0) {
      return Optional.of("descriptor " + number + " is another file");
    }
    if (asked.said() >= 0) {
      byte[] info = batch.bytes(asked.place(), (int) batch.result(asked.said()));
      if (!Arrays.equals(info, file.info())) {
        return Optional.of(
            "descriptor " + number + " has changed: " + new String(info, UTF_8).strip());
      }
    }
    // Of a file flags are watched for, the offset goes over. On the disk it is opened by its name.
    if (file.kind() == Kind.FILE && isOnDisk(file.target())) {
      String target = target(pid, number);
      if (!target.equals(file.target())) {
        return Optional.of(file.target() + ", descriptor " + number + ", is " + target + " now");
      }
    }
    return Optional.empty();
  }

  /** As {@link #changed}, of what comes without the process's help. */
  Optional<String> arrived() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, files.size(), files.size() * MOST_ARRIVAL);
      var places = new ArrayList<Integer>(files.size());
      for (OpenFile file : files.values()) {
        places.add(
            switch (file.kind()) {
              case CONNECTION, LISTENER -> TcpRepair.info(batch, file.fd());
              case QUEUE ->
                  file.counts() ? file.fd().ioctl(batch, Linux.FIONREAD(), Integer.BYTES) : -1;
              // Only its process does anything with it.
              case FILE, OTHER -> -1;
            });
      }
      batch.run();
      int i = 0;
      for (var entry : files.entrySet()) {
        int place = places.get(i++);
        if (place >= 0) {
          Optional<String> arrival =
              arrival(batch.data(), place, entry.getKey(), entry.getValue().kind());
          if (arrival.isPresent()) {
            return arrival;
          }
        }
      }
      return Optional.empty();
    }
  }

  private static Optional<String> arrival(ByteBuffer data, int place, int number, Kind kind) {
    switch (kind) {
      case CONNECTION -> {
        int state = TcpRepair.state(data, place);
        if (state != TcpRepair.ESTABLISHED) {
          return Optional.of("connection " + number + " is in TCP state " + state);
        }
      }
      case LISTENER -> {
        int waiting = TcpRepair.backlog(data, place);
        if (waiting > 0) {
          return Optional.of(waiting + " connections wait to be accepted on " + number);
        }
      }
      case QUEUE -> {
        if (data.getInt(place) > 0) {
          return Optional.of("descriptor " + number + " has data in its queue");
        }
      }
      case FILE, OTHER -> {
        // Nothing comes to it.
      }
    }
    return Optional.empty();
  }

  /**
   * What a copy must have, too, that was dumped while the process ran, by descriptor: what
   * descriptors say of themselves, and that nothing is queued in others.
   */
  Map<Integer, String> states() {
    var states = new TreeMap<Integer, String>();
    for (var entry : files.entrySet()) {
      OpenFile file = entry.getValue();
      switch (file.kind()) {
        case OTHER -> states.put(entry.getKey(), state(new String(file.info(), UTF_8)));
        case QUEUE -> states.put(entry.getKey(), EMPTY);
        case CONNECTION, LISTENER, FILE -> {
          // Their state comes at the switch, or is asked for then.
        }
      }
    }
    return states;
  }

  /**
   * Compares a copy with what {@link #states} said.
   *
   * @throws Unstageable naming the descriptor that says something else
   */
  static void check(int pid, Map<Integer, String> states) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (var entry : states.entrySet()) {
        int number = entry.getKey();
        String state;
        if (entry.getValue().equals(EMPTY)) {
          try (Fd fd = Processes.descriptor(process, number)) {
            state = queued(fd) == 0 ? EMPTY : "has data in its queue";
          }
        } else {
          state = state(SysFiles.read(info(pid, number)));
        }
        if (!state.equals(entry.getValue())) {
          throw new Unstageable(
              "descriptor %d changed while the process was dumped: '%s', in the copy '%s'"
                  .formatted(number, entry.getValue(), state));
        }
      }
    }
  }

  /** Of a descriptor's fdinfo, what does not depend on the kernel it is in. */
  static String state(String info) {
    var said = new TreeSet<String>();
    Matcher lines = STATE.matcher(info);
    while (lines.find()) {
      said.add(lines.group().replaceAll("\\s+", " "));
    }
    return String.join(", ", said);
  }

  private static Kind kind(Fd fd, int number, String target) throws IOException {
    if (target.startsWith("socket:")) {
      return socket(fd, number);
    }
    if (target.startsWith("pipe:")) {
      if (queued(fd) > 0) {
        throw Unstageable.now("pipe " + number + " has data in it");
      }
      return Kind.QUEUE;
    }
    if (target.startsWith("anon_inode:")) {
      if (SAYING.contains(target)) {
        return Kind.OTHER;
      }
      throw new Unstageable("descriptor " + number + " is " + target);
    }
    if (target.startsWith("/dev/null") || target.startsWith("/dev/zero")) {
      return Kind.OTHER;
    }
    if (!target.startsWith("/") || target.startsWith("/dev/") || target.endsWith(" (deleted)")) {
      throw new Unstageable("descriptor " + number + " is " + target);
    }
    return Kind.FILE;
  }

  private static Kind socket(Fd fd, int number) throws IOException {
    if (isTcp(fd)) {
      int state = TcpRepair.state(fd);
      if (state == TcpRepair.ESTABLISHED) {
        return Kind.CONNECTION;
      }
      if (state == TcpRepair.LISTEN) {
        return Kind.LISTENER;
      }
      throw new Unstageable("connection " + number + " is in TCP state " + state);
    }
    if (queued(fd) > 0) {
      throw Unstageable.now("socket " + number + " has data in its queue");
    }
    return Kind.QUEUE;
  }

  private static boolean isTcp(Fd socket) throws SyscallException {
    return Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_PROTOCOL()) == Linux.IPPROTO_TCP();
  }

  private static String target(int pid, int number) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/fd/" + number)).toString();
  }

  private static String info(int pid, int number) {
    return "/proc/" + pid + "/fdinfo/" + number;
  }

  static List<Integer> numbers(int pid) throws IOException {
    var numbers = new ArrayList<Integer>();
    try (var entries = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path entry : entries) {
        numbers.add(Integer.valueOf(entry.getFileName().toString()));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  @Override
  public void close() throws SyscallException {
    for (OpenFile file : files.values()) {
      file.fd().close();
      if (file.details().isPresent()) {
        file.details().get().close();
      }
    }
    files.clear();
  }

  private static int queued(Fd fd) throws SyscallException {
    return count(fd).orElse(0);
  }

  /** FIONREAD; empty for what cannot be read from. */
  private static OptionalInt count(Fd fd) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      fd.ioctl(Linux.FIONREAD(), count);
      return OptionalInt.of(count.get(ValueLayout.JAVA_INT, 0));
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EINVAL)) {
        return OptionalInt.empty();
      }
      throw e;
    }
  }
}
