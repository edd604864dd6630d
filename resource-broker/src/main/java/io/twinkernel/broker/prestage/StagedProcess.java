package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The copy of a process that waits in this kernel, stopped, and takes what changed. */
public final class StagedProcess implements AutoCloseable {
  private final int pid;
  private volatile List<Integer> threads;
  private volatile List<DiskFile> onDisk;
  private final String directory;
  private final Map<Integer, Fd> files = new ConcurrentSkipListMap<>();

  /** The addresses that its connections' sockets have, by descriptor. */
  private final Map<Integer, byte[]> bound = new TreeMap<>();

  private final RawSockets raw;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment zeros = arena.allocate(1 << 16, PageScan.PAGE);
  private final Fd memory;

  private volatile TcpRestore.@Nullable Prepared resumption;

  /** What the threads have in their registers, by thread; empty if they have what they had. */
  private volatile Map<Integer, ThreadState> ahead = Map.of();

  /** Made ahead: what they have to know is looked for in the whole address space. */
  private final TraceeCalls calls;

  /** Held by who traces it: no two can. */
  private final Object tracing = new Object();

  /** Where its process was in files, as {@link #take} was told. */
  private volatile List<ProcessDelta.Offset> offsets = List.of();

  /** Whether its first thread has been given other registers than {@link #ahead}, by calls. */
  private volatile boolean called;

  private StagedProcess(
      int pid,
      List<Integer> threads,
      List<DiskFile> onDisk,
      String directory,
      Fd memory,
      TraceeCalls calls,
      RawSockets raw) {
    this.pid = pid;
    this.threads = List.copyOf(threads);
    this.onDisk = List.copyOf(onDisk);
    this.directory = directory;
    this.memory = memory;
    this.calls = calls;
    this.raw = raw;
  }

  /**
   * Takes hold of a process that was restored stopped.
   *
   * @param threads the numbers of all its threads
   * @param connections descriptors of sockets that become connections by {@link #takeConnections}
   * @param offsets descriptors of the files whose offsets change
   * @param onDisk the files for which it has stand-ins open
   * @param directory on that disk that it works in; empty if it works elsewhere
   */
  public static StagedProcess hold(
      int pid,
      List<Integer> threads,
      List<Integer> connections,
      List<Integer> offsets,
      List<DiskFile> onDisk,
      String directory)
      throws IOException {
    Fd memory = Fd.open("/proc/" + pid + "/mem", Linux.O_RDWR());
    StagedProcess staged;
    try {
      var calls = new TraceeCalls(pid, memory);
      RawSockets raw = RawSockets.open();
      staged = new StagedProcess(pid, threads, onDisk, directory, memory, calls, raw);
    } catch (IOException e) {
      memory.close();
      throw e;
    }
    try (Fd process = Processes.open(pid)) {
      for (int descriptor : offsets) {
        staged.files.put(descriptor, Processes.descriptor(process, descriptor));
      }
      for (int descriptor : connections) {
        staged.becomesConnection(process, descriptor);
      }
      return staged;
    } catch (IOException e) {
      staged.close();
      throw e;
    }
  }

  private Fd becomesConnection(Fd process, int descriptor) throws IOException {
    Fd socket = Processes.descriptor(process, descriptor);
    files.put(descriptor, socket);
    bound.put(descriptor, TcpRestore.clear(socket));
    return socket;
  }

  /**
   * Has its memory laid out as its process has.
   *
   * @param shape what {@link FollowedMemory#shape} told
   */
  public void takeMemoryShape(MemoryShape shape) throws IOException {
    if (shape.pid() != pid) {
      throw new IOException("a layout of process " + shape.pid() + " for process " + pid);
    }
    synchronized (tracing) {
      ThreadRegisters.hold(pid);
      try {
        called = true;
        MemoryReshaping.apply(calls.remote(), shape);
      } finally {
        Ptrace.detach(pid);
      }
    }
  }

  /** What is done by {@link #calls}. */
  @FunctionalInterface
  private interface Reshaping {
    void run() throws IOException;
  }

  /** What its calls are given in memory is put over what is there, and that put back. */
  private void inItsName(Reshaping reshaping) throws IOException {
    synchronized (tracing) {
      ThreadRegisters.hold(pid);
      try {
        called = true;
        byte[] before = calls.save();
        try {
          reshaping.run();
        } finally {
          calls.restore(before);
        }
      } finally {
        Ptrace.detach(pid);
      }
    }
  }

  /**
   * Opens and closes what its process has.
   *
   * @param changes what {@link SourceProcess#descriptors} told
   */
  public void takeDescriptors(DescriptorChanges changes) throws IOException {
    if (changes.pid() != pid) {
      throw new IOException("descriptors of process " + changes.pid() + " for process " + pid);
    }
    if (changes.diskFiles().isPresent()) {
      onDisk = changes.diskFiles().get();
    }
    for (int descriptor : changes.closed()) {
      Fd file = files.remove(descriptor);
      if (file != null) {
        // An epoll waits for it as long as anyone has it open.
        file.close();
      }
      bound.remove(descriptor);
    }
    inItsName(() -> new DescriptorReshaping(pid, calls).run(changes, onDisk));
    try (Fd process = Processes.open(pid)) {
      for (DescriptorChanges.Connection connection : changes.connections()) {
        int descriptor = connection.descriptor();
        Fd socket =
            bound.containsKey(descriptor)
                ? file(descriptor)
                : becomesConnection(process, descriptor);
        ConnectionOptions.set(socket, connection.options());
      }
      for (DescriptorChanges.Counter counter : changes.counters()) {
        try (Fd eventfd = Processes.descriptor(process, counter.descriptor())) {
          EventCounter.set(eventfd, counter.count());
        }
      }
    }
  }

  /**
   * Begins and ends threads as its process did.
   *
   * @param changes what {@link SourceProcess#threadChanges} told
   */
  public void takeThreads(ThreadChanges changes) throws IOException {
    if (changes.pid() != pid) {
      throw new IOException("threads of process " + changes.pid() + " for process " + pid);
    }
    try {
      inItsName(() -> new ThreadReshaping(pid, calls).run(changes));
    } finally {
      threads = SourceProcess.threads(pid);
    }
    var known = new TreeMap<Integer, ThreadState>(ahead);
    known.keySet().retainAll(threads);
    for (ThreadAttributes begun : changes.begun()) {
      // One of that number before it may have ended in between.
      known.remove(begun.thread());
    }
    ahead = Map.copyOf(known);
  }

  /**
   * Whether it is what its process was when that began to be followed.
   *
   * @param states {@link SourceProcess#states}
   * @throws Unstageable if the process changed while it was dumped
   */
  public void check(Map<Integer, String> states) throws IOException {
    DescriptorStates.check(pid, states);
  }

  /** Its number in both kernels. */
  public int pid() {
    return pid;
  }

  /** The highest number of its threads. */
  public int youngest() {
    int youngest = pid;
    for (int thread : threads) {
      youngest = Math.max(youngest, thread);
    }
    return youngest;
  }

  /** Has the kernel map its program and libraries now, and not fault by fault when it runs. */
  public void populate() throws IOException {
    MappedFiles.populate(pid);
  }

  /** The process that a message of pages is for. */
  public static int pidOf(MemorySegment frame) throws IOException {
    return PageFrame.read(frame).pid();
  }

  /**
   * Takes pages.
   *
   * @param frame a message that {@link FollowedMemory#send} wrote
   */
  public void takePages(MemorySegment frame) throws IOException {
    PageFrame.Content content = PageFrame.read(frame);
    if (content.zeros()) {
      for (Range range : content.ranges()) {
        clear(range);
      }
      return;
    }
    long done = RemoteMemory.write(pid, content.ranges(), content.data());
    long at = 0;
    for (Range range : content.ranges()) {
      // Areas that the process itself may not write, such as relocated constants, need force.
      if (at + range.bytes() > done) {
        memory.writeAll(content.data().asSlice(at, range.bytes()), range.address());
      }
      at += range.bytes();
    }
  }

  private void clear(Range range) throws IOException {
    for (long done = 0; done < range.bytes(); done += zeros.byteSize()) {
      long bytes = Math.min(zeros.byteSize(), range.bytes() - done);
      memory.writeAll(zeros.asSlice(0, bytes), range.address() + done);
    }
  }

  /**
   * Takes registers before the switch.
   *
   * @param delta what {@link SourceProcess#registers} read
   */
  public void takeRegisters(ProcessDelta delta) throws IOException {
    Map<Integer, ThreadState> states = byThread(delta);
    if (!states.keySet().containsAll(threads)) {
      throw new IOException("registers of " + states.keySet() + " for the threads " + threads);
    }
    // None, should it fail half way.
    ahead = Map.of();
    ThreadRegisters.give(states.values());
    ahead = Map.copyOf(states);
    called = false;
  }

  private Map<Integer, ThreadState> byThread(ProcessDelta delta) throws IOException {
    var states = new TreeMap<Integer, ThreadState>();
    for (ThreadState state : delta.threads()) {
      states.put(state.thread(), state);
    }
    if (delta.pid() != pid || !threads.containsAll(states.keySet())) {
      throw new IOException("process " + pid + " " + threads + " does not fit " + delta);
    }
    return states;
  }

  /** The files on the disk that it will open by {@link #reopen}. */
  public List<String> diskFiles() {
    var files = new ArrayList<String>();
    for (DiskFile file : onDisk) {
      files.add(file.path());
    }
    return List.copyOf(files);
  }

  /**
   * The disk is here: the copy gets its files there for their stand-ins, by {@link FileExchange}.
   */
  public void reopen(FileExchange exchange) throws IOException {
    List<DiskFile> wanted = onDisk;
    if (wanted.isEmpty() && directory.isEmpty()) {
      return;
    }
    Map<Integer, Fd> own;
    synchronized (tracing) {
      ThreadRegisters.hold(pid);
      try {
        own = exchange.exchange(pid, wanted);
        if (!directory.isEmpty()) {
          changeDirectory();
        }
      } finally {
        Ptrace.detach(pid);
      }
    }
    for (Map.Entry<Integer, Fd> file : own.entrySet()) {
      Fd standIn = files.put(file.getKey(), file.getValue());
      if (standIn != null) {
        standIn.close();
      }
    }
  }

  /** While it is traced. A signal that waits for it is not to be in the way. */
  private void changeDirectory() throws IOException {
    long mask = Ptrace.signalMask(pid);
    Ptrace.setSignalMask(pid, PendingSignals.ALL);
    byte[] before = calls.save();
    try {
      long path = calls.put((directory + "\0").getBytes(UTF_8));
      called = true;
      calls.call("chdir", directory, Linux.__NR_chdir(), path);
    } finally {
      calls.restore(before);
      Ptrace.setSignalMask(pid, mask);
    }
  }

  /**
   * Takes connections. They say nothing until {@link #connect}.
   *
   * @param delta what {@link SourceProcess#readConnections} read
   */
  public void takeConnections(ProcessDelta delta, Steps steps) throws IOException {
    if (delta.pid() != pid) {
      throw new IOException("connections of process " + delta.pid() + " for process " + pid);
    }
    List<TcpRestore.Target> targets = targets(delta);
    TcpRestore.restore(targets, raw);
    steps.done("write-connections");
    resumption = TcpRestore.resumption(arena, targets, raw);
    steps.done("prepare-connect");
  }

  /**
   * Takes registers, the timer and the signals that wait; offsets are taken by {@link #seek}.
   *
   * @param delta what {@link SourceProcess#readRest} read
   */
  public void take(ProcessDelta delta, Steps steps) throws IOException {
    Map<Integer, ThreadState> states = byThread(delta);
    for (int thread : threads) {
      if (!states.containsKey(thread) && !ahead.containsKey(thread)) {
        throw new IOException("no registers came for thread " + thread + " of process " + pid);
      }
    }
    if (delta.timer().isPresent() || !delta.signals().isEmpty()) {
      alarm(delta);
      steps.done("set-timer");
    }
    if (!delta.timers().isEmpty()) {
      setTimers(delta.timers());
      steps.done("set-timerfds");
    }
    if (called && !states.containsKey(pid)) {
      states.put(pid, Objects.requireNonNull(ahead.get(pid)));
    }
    synchronized (tracing) {
      ThreadRegisters.give(states.values());
    }
    steps.done("write-registers");
    offsets = delta.offsets();
  }

  private void setTimers(List<TimerState> timers) throws IOException {
    try (Fd process = Processes.open(pid)) {
      for (TimerState timer : timers) {
        try (Fd timerfd = Processes.descriptor(process, timer.descriptor())) {
          timer.set(timerfd);
        }
      }
    }
  }

  /** Its timer runs, and what had come for its process has come for it. */
  private void alarm(ProcessDelta delta) throws IOException {
    synchronized (tracing) {
      ThreadRegisters.hold(pid);
      try {
        called = true;
        // Until it has its own mask, with its registers.
        Ptrace.setSignalMask(pid, PendingSignals.ALL);
        byte[] before = calls.save();
        try {
          if (delta.timer().isPresent()) {
            delta.timer().get().set(pid, calls);
          }
          for (PendingSignal signal : delta.signals()) {
            signal.send(pid, calls);
          }
        } finally {
          calls.restore(before);
        }
      } finally {
        Ptrace.detach(pid);
      }
    }
  }

  private List<TcpRestore.Target> targets(ProcessDelta delta) throws IOException {
    var targets = new ArrayList<TcpRestore.Target>();
    for (TcpState connection : delta.connections()) {
      int descriptor = connection.descriptor();
      byte[] address = bound.get(descriptor);
      if (address == null) {
        throw new IOException("process " + pid + " was staged without connection " + descriptor);
      }
      targets.add(new TcpRestore.Target(file(descriptor), address, connection));
    }
    return targets;
  }

  /** After {@link #take} and {@link #reopen}: it is in its files where its process was. */
  public void seek() throws IOException {
    try (Arena scope = Arena.ofConfined()) {
      var batch = new CallBatch(scope, offsets.size(), 0);
      for (ProcessDelta.Offset offset : offsets) {
        if (!isAnothers(offset.descriptor())) {
          file(offset.descriptor()).seek(batch, offset.position(), Linux.SEEK_SET());
        }
      }
      batch.run();
    }
  }

  /** Whether it has a file by another one's opening, whose offset is the same one. */
  private boolean isAnothers(int descriptor) {
    for (DiskFile file : onDisk) {
      if (file.descriptor() == descriptor && file.opening().isPresent()) {
        return true;
      }
    }
    return false;
  }

  /** The network is up: lets the connections speak. */
  public void connect() throws IOException {
    TcpRestore.Prepared prepared = resumption;
    if (prepared == null) {
      throw new IOException("no connections came for process " + pid);
    }
    prepared.run();
  }

  /** As {@link SourceProcess#awaitServed}, after {@link #connect}, while the process runs. */
  public void awaitServed(long deadline) throws IOException {
    ServiceWatch.awaitServed(pid, threads, bound.keySet(), deadline);
  }

  /** It runs: a connection that it closes is to be closed. */
  public void letGoConnections() throws IOException {
    for (int descriptor : bound.keySet()) {
      Fd socket = files.remove(descriptor);
      if (socket != null) {
        socket.close();
      }
    }
  }

  private Fd file(int descriptor) throws IOException {
    Fd file = files.get(descriptor);
    if (file == null) {
      throw new IOException("process " + pid + " was staged without descriptor " + descriptor);
    }
    return file;
  }

  /** Lets go of the process; it stays stopped if nothing else resumed it. */
  @Override
  public void close() throws IOException {
    for (Fd file : files.values()) {
      file.close();
    }
    raw.close();
    memory.close();
    arena.close();
  }
}
