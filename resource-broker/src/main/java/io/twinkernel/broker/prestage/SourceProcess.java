package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.OpenFile.Kind;
import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A process that runs here while a copy of it waits in the other kernel. Says what the copy lacks.
 *
 * <p>What changes is measured against the dump that the copy is restored from.
 */
public final class SourceProcess implements AutoCloseable {
  private final int pid;
  private final String disk;

  /** That its copy will work in on the disk; empty if it works elsewhere. */
  private final String directory;

  private final FollowedThreads threads;

  /** Those that it had when it was staged, by their numbers. */
  private final List<Integer> children;

  private final FollowedSignals signals;

  private final FollowedMemory memory;
  private final OpenFiles files;
  private final @Nullable SyscallWatch watch;

  private Optional<ForkSnapshot> fork;

  /** What the copy's threads have in their registers; empty if that is not known. */
  private List<ThreadState> ahead = List.of();

  private SourceProcess(
      int pid,
      String disk,
      String directory,
      FollowedThreads threads,
      List<Integer> children,
      FollowedSignals signals,
      FollowedMemory memory,
      OpenFiles files,
      @Nullable SyscallWatch watch,
      Optional<ForkSnapshot> fork) {
    this.pid = pid;
    this.disk = disk;
    this.directory = directory;
    this.threads = threads;
    this.children = children;
    this.signals = signals;
    this.memory = memory;
    this.files = files;
    this.watch = watch;
    this.fork = fork;
  }

  /**
   * Takes note of what a process is. It may run: if it is not {@link #restructured} when it is
   * stopped, that is what it is then. {@link #begin} comes next.
   *
   * @param disk where the disk is mounted that goes over at the switch; empty for none
   * @throws Unstageable if it has what only a full dump carries over
   */
  public static SourceProcess follow(int pid, String disk) throws IOException {
    return follow(pid, disk, true);
  }

  /**
   * @param watched false: what it calls is not looked at, for a process that calls nothing
   */
  static SourceProcess follow(int pid, String disk, boolean watched) throws IOException {
    MemoryMap map = MemoryMap.read(pid);
    check(pid, map, disk);
    check(pid);
    int youngest = PidSpace.last();
    List<Integer> threads = threads(pid);
    try (var opened = new Opened()) {
      SyscallWatch watch = watched ? opened.add(SyscallWatch.start(pid, threads, youngest)) : null;
      guard(watch, map);
      Optional<TwinDevice> module = module(opened);
      Optional<IntervalTimers> timers = timers(pid, module);
      List<Integer> children = children(pid, threads);
      FollowedSignals signals =
          opened.add(FollowedSignals.of(pid, threads, !children.isEmpty(), module, timers));
      OpenFiles files = opened.add(OpenFiles.hold(pid, disk));
      FollowedMemory memory = opened.add(FollowedMemory.open(pid, map));
      opened.keep();
      return new SourceProcess(
          pid,
          disk,
          diskDirectory(pid, disk),
          new FollowedThreads(pid, threads, watch),
          children,
          signals,
          memory,
          files,
          watch,
          Optional.empty());
    }
  }

  /** Empty where it is not loaded. */
  private static Optional<TwinDevice> module(Opened opened) throws IOException {
    return Files.exists(Path.of(TwinDevice.PATH))
        ? Optional.of(opened.add(TwinDevice.open()))
        : Optional.empty();
  }

  private static Optional<IntervalTimers> timers(int pid, Optional<TwinDevice> module)
      throws IOException {
    return module.isPresent()
        ? Optional.of(IntervalTimers.follow(pid, module.get()))
        : Optional.empty();
  }

  /**
   * Takes note of what a process is that runs on, and has CRIU dump it as {@link #forked}: what
   * changes is counted from now, and {@link #begin} is not to come. {@link #endFork} follows.
   *
   * <p>The first {@link FollowedMemory#collect} finds, too, what the fork has not inherited.
   *
   * @param disk as in {@link #follow(int, String)}
   * @param family the processes that move with it, itself among them
   * @throws Unstageable if a fork would not be like it, or it has what only a full dump carries
   *     over
   */
  public static SourceProcess fork(int pid, String disk, Set<Integer> family) throws IOException {
    return fork(pid, disk, family, true);
  }

  /**
   * @param watched as in {@link #follow(int, String, boolean)}
   */
  static SourceProcess fork(int pid, String disk, Set<Integer> family, boolean watched)
      throws IOException {
    check(pid);
    int youngest = PidSpace.last();
    List<Integer> threads = threads(pid);
    try (var opened = new Opened()) {
      SyscallWatch watch = watched ? opened.add(SyscallWatch.start(pid, threads, youngest)) : null;
      Optional<TwinDevice> module = module(opened);
      Optional<IntervalTimers> timers = timers(pid, module);
      PageScan.forget(pid);
      ForkSnapshot fork =
          opened.add(
              ForkSnapshot.take(
                  pid,
                  threads,
                  family,
                  watch == null ? OwnCalls.UNTOLD : watch,
                  timers.isPresent()));
      // What the process has become since, the copy becomes later.
      MemoryMap map = MemoryMap.read(fork.pid());
      check(pid, map, disk);
      guard(watch, map);
      List<Integer> forked = come(watch, threads, fork.forked().threads());
      List<Integer> children = children(pid, forked);
      if (!family.containsAll(children)) {
        throw Unstageable.now("it has just got a child");
      }
      FollowedSignals signals =
          opened.add(FollowedSignals.of(pid, forked, !children.isEmpty(), module, timers));
      OpenFiles files = opened.add(OpenFiles.holdFork(pid, fork.pid(), disk));
      FollowedMemory memory = opened.add(FollowedMemory.open(pid, map));
      memory.noteFork(fork.pid());
      opened.keep();
      return new SourceProcess(
          pid,
          disk,
          diskDirectory(pid, disk),
          new FollowedThreads(pid, forked, watch),
          children,
          signals,
          memory,
          files,
          watch,
          Optional.of(fork));
    }
  }

  /** Which threads a fork stands for; those that came before it was made are watched, too. */
  private static List<Integer> come(
      @Nullable SyscallWatch watch, List<Integer> before, List<ThreadAttributes> forked)
      throws IOException {
    var threads = new ArrayList<Integer>();
    for (ThreadAttributes thread : forked) {
      threads.add(thread.thread());
    }
    threads.sort(null);
    var come = new ArrayList<Integer>(threads);
    come.removeAll(before);
    if (watch != null) {
      watch.add(come);
      watch.recordAdded();
    }
    return List.copyOf(threads);
  }

  private static void guard(@Nullable SyscallWatch watch, MemoryMap map) {
    if (watch != null) {
      watch.guard(map.sharedMemory());
    }
  }

  private static void check(int pid, MemoryMap map, String disk) throws IOException {
    Optional<MemoryMap.Area> shared = map.otherwiseShared();
    if (shared.isPresent()) {
      throw new Unstageable("it shares the memory " + shared.get().name());
    }
    SharedMemory.check(pid, map);
    Optional<MemoryMap.Area> file = map.below(disk);
    if (file.isPresent()) {
      throw new Unstageable("it has mapped " + file.get().name() + ", on the disk that goes over");
    }
  }

  private static void check(int pid) throws IOException {
    if (!SysFiles.read("/proc/" + pid + "/timers").isEmpty()) {
      throw new Unstageable("it has POSIX timers");
    }
    if (isOwn(pid, "mnt") || isOwn(pid, "pid") || isOwn(pid, "uts")) {
      throw new Unstageable("it is in a container");
    }
  }

  private static boolean isOwn(int pid, String namespace) throws IOException {
    Path there = Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + namespace));
    return !there.equals(Files.readSymbolicLink(Path.of("/proc/self/ns/" + namespace)));
  }

  /**
   * Notes which pages it has. The process is stopped, and stays so until {@link #begin}; CRIU,
   * which may dump it at the same time, gives it none that count.
   */
  public void note() throws IOException {
    memory.note();
  }

  /**
   * Counts what changes from here on. The process is stopped, and has just been dumped: what was
   * called and written until now was by CRIU, in its name. That is not to be sent: some of it is in
   * pages that cannot be written to, and kernels from 6.12 on may let only a tracer do so
   * (proc_mem.force_override).
   */
  public void begin() throws IOException {
    if (watch != null) {
      watch.forget();
      watch.resume();
    }
    memory.begin();
    ahead = List.of();
  }

  /** What it calls from here on is not noticed until {@link #begin}; it is stopped until then. */
  public void pause() throws IOException {
    if (watch != null) {
      watch.pause();
    }
  }

  /** The fork that stands for it until {@link #endFork}, for CRIU. */
  public Optional<ForkedProcess> forked() {
    return fork.map(ForkSnapshot::forked);
  }

  /** For how long a thread stood still at most to be forked, in milliseconds; 0 if none is held. */
  public double longestStop() {
    return fork.map(ForkSnapshot::longestStop).orElse(0L) / 1e6;
  }

  /** Why it may have stood still for longer than it must to be forked; empty if nothing did. */
  public Optional<String> delay() {
    return fork.flatMap(ForkSnapshot::delay);
  }

  /** The fork is dumped. */
  public void endFork() throws IOException {
    if (fork.isPresent()) {
      fork.get().close();
      fork = Optional.empty();
    }
  }

  /** Its memory. {@link #restructuredWithin} looks at how it is laid out. */
  public FollowedMemory memory() {
    return memory;
  }

  /** Its number in both kernels. */
  public int pid() {
    return pid;
  }

  /** Numbers of the threads that it had when they were looked at last. */
  public List<Integer> threads() {
    return threads.now();
  }

  /**
   * Looks which threads it has, and asks those that have come what they are; {@link #threadChanges}
   * tells of them. While it runs: if some have come still by the time that it is stopped these are
   * asked then.
   *
   * @throws Unstageable if its copy cannot have such ones
   */
  public void followThreads() throws IOException {
    followThreads(false);
  }

  private void followThreads(boolean stopped) throws IOException {
    threads.follow(stopped);
    if (!signals.threads().equals(threads.now())) {
      signals.become(threads.now());
    }
  }

  /** Which of them the copy is to end, before its memory is laid out as the process's is. */
  public Optional<ThreadChanges> threadsEnded() {
    return threads.tellEnded();
  }

  /** What else the copy is to be told of them, once it is. */
  public Optional<ThreadChanges> threadChanges() {
    return threads.tell();
  }

  /** The other kernel can have these connections that are half closed; without it, none. */
  public void allow(HalfClosed halves) {
    files.allow(halves);
  }

  /** Those that it had when it began to be followed, ended ones among them. */
  public List<Integer> children() {
    return children;
  }

  /** What the staged copy must hold on to for {@link ProcessDelta#connections}. */
  public List<Integer> connections() {
    return files.of(Kind.CONNECTION);
  }

  /** What the staged copy must hold on to for {@link ProcessDelta#offsets}. */
  public List<Integer> files() {
    return files.of(Kind.FILE);
  }

  /**
   * What the copy must say of descriptors, by their number, if it was dumped while the process ran;
   * see {@link StagedProcess#check}.
   */
  public Map<Integer, String> states() {
    return files.states();
  }

  /**
   * What it has open on the disk that goes over, as it is now.
   *
   * @param earlier processes that may have some by the same opening
   */
  public List<DiskFile> diskFiles(List<SourceProcess> earlier) throws IOException {
    return files.onDisk().tell(onDisk(earlier));
  }

  private static List<DiskFiles> onDisk(List<SourceProcess> processes) {
    var all = new ArrayList<DiskFiles>(processes.size());
    for (SourceProcess process : processes) {
      all.add(process.files.onDisk());
    }
    return all;
  }

  /** Whether {@link #restructuredOutside} has found that it has others, or by other names. */
  public boolean hasOtherDiskFiles() {
    return files.changedOnDisk();
  }

  /**
   * Its connections; see {@link #restructuredOutside}.
   *
   * @param found receives them; has those of other processes before
   * @return why one cannot be told of: no connection can be taken twice; empty if all can
   */
  public Optional<String> sharedConnection(Set<String> found) {
    return files.shared(found);
  }

  /** The directory on that disk that its copy will work in; empty if it works elsewhere. */
  public String directory() {
    return directory;
  }

  private static String diskDirectory(int pid, String disk) throws IOException {
    if (disk.isEmpty()) {
      return "";
    }
    String place = Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd")).toString();
    return place.equals(disk) || place.startsWith(disk + "/") ? place : "";
  }

  /**
   * Whether it can still go over by what changed; the process is stopped.
   *
   * @return why not; empty if it can
   */
  public Optional<String> restructured(Steps steps) throws IOException {
    Optional<String> found = restructuredWithin(steps);
    if (found.isEmpty()) {
      found = restructuredOutside(steps);
    }
    return found.isPresent() ? found : arrived(steps);
  }

  /** Looks at what it has called until now, for {@link #restructured} to have less to look at. */
  public void lookAtCalls() throws IOException {
    if (watch != null) {
      var _ = watch.changed();
    }
  }

  /** The first part of {@link #restructured}: what it called, its threads, and its memory. */
  public Optional<String> restructuredWithin(Steps steps) throws IOException {
    if (watch != null) {
      Optional<String> call = watch.changed();
      if (call.isPresent()) {
        return call;
      }
      if (watch.timed() && !signals.knowsTimers()) {
        return Optional.of("it has set an interval timer");
      }
    }
    followThreads(true);
    if (watch != null) {
      if (watch.forked()) {
        List<Integer> now = children(pid, threads.now());
        if (!now.equals(children)) {
          throw Unstageable.now("its children were " + children + ", are " + now);
        }
        if (memory.isShared()) {
          // What it wrote was in its own entries, which ended with it.
          memory.suspectShared();
        }
        watch.passOverForks();
      }
    }
    steps.done("check-calls");
    Optional<String> difference = laidOutOtherwise();
    steps.done("check-memory");
    return difference;
  }

  /** What nothing was called for is as it was, but for a stack, which grows by itself. */
  private Optional<String> laidOutOtherwise() throws IOException {
    if (watch != null && !watch.mapped() && memory.hasStackOf(signals.stackKilobytes())) {
      return Optional.empty();
    }
    Optional<String> difference = memory.look();
    if (watch != null && difference.isEmpty()) {
      watch.passOverMaps();
    }
    return difference;
  }

  /** The second part: what it has open. */
  public Optional<String> restructuredOutside(Steps steps) throws IOException {
    Optional<String> changed = files.changed();
    if (changed.isEmpty() && !diskDirectory(pid, disk).equals(directory)) {
      changed = Optional.of("it works in " + directory + ", which has another name now");
    }
    steps.done("check-files");
    return changed;
  }

  /**
   * What the copy is to be told of what {@link #restructuredOutside} has found, and of what {@link
   * #restructuredWithin} has seen the process do to connections. The copy has it from here on.
   *
   * @param earlier as for {@link #diskFiles}, if this one or one of those {@link
   *     #hasOtherDiskFiles}; empty if none has
   * @throws Unstageable if it cannot be told of all of that
   */
  public DescriptorChanges descriptors(Optional<List<SourceProcess>> earlier) throws IOException {
    Set<Integer> set = watch == null ? Set.of() : watch.set();
    Optional<String> obstacle = files.setOtherwise(set);
    if (obstacle.isPresent()) {
      throw new Unstageable(obstacle.get());
    }
    DescriptorChanges changes = files.tell(set);
    if (earlier.isPresent()) {
      changes = changes.withDiskFiles(files.onDisk().news(onDisk(earlier.get())));
    }
    if (watch != null) {
      watch.passOver(set);
    }
    return changes;
  }

  /**
   * It is about to be dumped as it is now: what {@link #restructuredOutside} has found goes along.
   */
  public void takeAsItIs() throws IOException {
    var _ = files.tell(Set.of());
    var _ = memory.shape();
    var _ = threads.tell();
  }

  /** The process is about to go on: what it closes is to be closed, then. */
  public void letGo() throws IOException {
    files.letGo();
    if (watch != null) {
      watch.recordAdded();
    }
  }

  /** The third part, for when nothing comes in any more: signals, and what has come until then. */
  public Optional<String> arrived(Steps steps) throws IOException {
    Optional<String> changed = signals.look();
    if (changed.isPresent()) {
      return changed;
    }
    steps.done("check-threads");
    Optional<String> arrival = files.arrived();
    steps.done("check-arrivals");
    return arrival;
  }

  /**
   * Waits until the process has read all that had arrived on each of its connections, and has gone
   * to sleep after that: then it has answered.
   *
   * @param deadline {@link System#nanoTime} at which the wait ends all the same
   */
  public void awaitServed(long deadline) throws IOException {
    ServiceWatch.awaitServed(pid, threads.now(), connections(), deadline);
  }

  /** Whether signals waited for it at the last look. */
  public boolean isSignalled() {
    return !signals.waiting().isEmpty();
  }

  /** For who stops it. */
  public CgroupFreezer.Watch stopping() {
    return signals.stopping();
  }

  /**
   * Reads the registers of all threads, for the copy to have: most threads of a service sleep for
   * longer than it takes to the switch, and are then left out. The process is stopped.
   *
   * @return empty if it has other threads by now
   */
  public Optional<ProcessDelta> registers() throws IOException {
    ahead = List.of();
    if (threads.differ()) {
      return Optional.empty();
    }
    ahead = signals.registers();
    return Optional.of(new ProcessDelta(pid, ahead, List.of(), List.of()));
  }

  /**
   * Reads the connections. The process is stopped and nothing arrives for it. {@link #release} lets
   * them go on.
   */
  public ProcessDelta readConnections(Steps steps) throws IOException {
    List<TcpState> connections = TcpCapture.of(sources());
    steps.done("read-connections");
    return new ProcessDelta(pid, List.of(), connections, List.of());
  }

  /**
   * Begins to read registers, if {@link #arrived} has not. {@link #readRest} is next, on the same
   * thread, or {@link #letGoRegisters}.
   */
  public void beginRegisters() throws IOException {
    signals.beginRegisters();
  }

  /** What {@link #beginRegisters} began is not to be done; nothing if it is. */
  public void letGoRegisters() {
    signals.letGoRegisters();
  }

  /**
   * Reads registers that are not those that {@link #registers} read, and offsets. The process is
   * stopped.
   */
  public ProcessDelta readRest(Steps steps) throws IOException {
    List<ThreadState> registers = signals.endRegisters();
    steps.done("read-registers");
    List<ProcessDelta.Offset> offsets = offsets();
    steps.done("read-offsets");
    return new ProcessDelta(
        pid,
        changed(registers),
        List.of(),
        offsets,
        signals.timer(),
        timerStates(),
        signals.waiting());
  }

  private List<TimerState> timerStates() throws IOException {
    var timers = new ArrayList<TimerState.Open>();
    for (int number : files.of(Kind.TIMER)) {
      timers.add(new TimerState.Open(number, files.get(number)));
    }
    return TimerState.of(timers);
  }

  private List<ProcessDelta.Offset> offsets() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      List<Integer> numbers = files();
      var batch = new CallBatch(arena, numbers.size(), 0);
      for (int number : numbers) {
        files.get(number).seek(batch, 0, Linux.SEEK_CUR());
      }
      batch.run();
      var offsets = new ArrayList<ProcessDelta.Offset>(numbers.size());
      for (int i = 0; i < numbers.size(); i++) {
        offsets.add(new ProcessDelta.Offset(numbers.get(i), batch.result(i)));
      }
      return offsets;
    }
  }

  private List<TcpCapture.Source> sources() {
    var sources = new ArrayList<TcpCapture.Source>();
    for (int number : connections()) {
      sources.add(new TcpCapture.Source(number, files.get(number)));
    }
    return sources;
  }

  private List<ThreadState> changed(List<ThreadState> now) {
    var changed = new ArrayList<ThreadState>();
    for (ThreadState state : now) {
      boolean has = false;
      for (ThreadState one : ahead) {
        has |= state.sameAs(one);
      }
      if (!has) {
        changed.add(state);
      }
    }
    return changed;
  }

  /** Lets the connections that {@link #readConnections} read go on here. */
  public void release() throws IOException {
    for (int number : connections()) {
      TcpRepair.release(files.get(number));
    }
  }

  /**
   * Undoes what a broker that died in the middle of a switch may have left with a process: its
   * connections go on, and nobody watches it. A fork is ended.
   */
  public static void abandon(int pid) throws IOException {
    if (ForkSnapshot.is(SysFiles.readIfThere("/proc/" + pid + "/comm").orElse("").strip())) {
      ForkSnapshot.end(pid);
      return;
    }
    SyscallWatch.end(pid);
    releaseConnections(pid);
  }

  /** Lets its connections go on: the part of {@link #abandon} without which it cannot. */
  public static void releaseConnections(int pid) throws IOException {
    Descriptors.releaseConnections(pid);
  }

  static List<Integer> threads(int pid) throws IOException {
    var threads = new ArrayList<Integer>();
    try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks) {
        threads.add(Integer.valueOf(task.getFileName().toString()));
      }
    } catch (DirectoryIteratorException e) {
      // It has ended meanwhile, perhaps.
      throw e.getCause();
    }
    threads.sort(null);
    return List.copyOf(threads);
  }

  /** Of all its threads, also those that have ended and wait for it to learn of that. */
  static List<Integer> children(int pid, List<Integer> threads) throws IOException {
    var children = new ArrayList<Integer>();
    for (int thread : threads) {
      // Where a thread has ended that is found otherwise.
      String said =
          SysFiles.readIfThere("/proc/" + pid + "/task/" + thread + "/children").orElse("");
      for (int from = 0, to; (to = said.indexOf(' ', from)) >= 0; from = to + 1) {
        children.add(Integer.parseInt(said, from, to, 10));
      }
    }
    children.sort(null);
    return List.copyOf(children);
  }

  /** Stops following it; the process is left as it is. */
  @Override
  public void close() throws IOException {
    try (watch;
        memory;
        files;
        signals) {
      endFork();
    }
  }
}
