package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.DescriptorChanges;
import io.twinkernel.broker.prestage.DiskFile;
import io.twinkernel.broker.prestage.FileExchange;
import io.twinkernel.broker.prestage.HugePages;
import io.twinkernel.broker.prestage.MemoryShape;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.prestage.StagedProcess;
import io.twinkernel.broker.prestage.StandIns;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.broker.prestage.ThreadChanges;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** B's side: the copies of A's processes that wait here, stopped. */
final class PrestagedProcesses {
  /** How long a service may take for what came in the gap. */
  private static final Duration SERVED = Duration.ofMillis(500);

  /**
   * @param states what descriptors must say, by their number
   * @param files on the disk that comes at the switch
   * @param directory on it that the process works in; empty if it works elsewhere
   * @param directoryMode that one's type and permissions
   */
  private record Hold(
      int pid,
      List<Integer> threads,
      List<Integer> connections,
      List<Integer> offsets,
      Map<Integer, String> states,
      List<DiskFile> files,
      String directory,
      int directoryMode) {}

  private final List<Hold> holds = new ArrayList<>();

  private final Map<Integer, StagedProcess> processes = new ConcurrentHashMap<>();

  /** A process before those that have files by its opening. */
  private final List<StagedProcess> order = new CopyOnWriteArrayList<>();

  /** Those whose connections, and the rest of whose last changes, have come. */
  private final Set<Integer> connected = new TreeSet<>();

  private final Set<Integer> taken = new TreeSet<>();

  /** Why copies cannot be used, by their number; 0 where it is not known which. */
  private final Map<Integer, IOException> failures = new ConcurrentHashMap<>();

  /** Says what the next {@link #stage} is to take hold of. */
  void hold(Fields hold) throws IOException {
    var files = new ArrayList<DiskFile>();
    for (Fields file : hold.objects("disk_files")) {
      files.add(DiskFile.fromJson(file));
    }
    var states = new TreeMap<Integer, String>();
    for (Fields state : hold.objects("states")) {
      states.put((int) state.number("descriptor"), state.text("state"));
    }
    holds.add(
        new Hold(
            (int) hold.number("pid"),
            hold.numbers("threads"),
            hold.numbers("connections"),
            hold.numbers("offsets"),
            Collections.unmodifiableMap(states),
            List.copyOf(files),
            hold.text("disk_directory"),
            (int) hold.number("disk_directory_mode")));
  }

  /** Restores copies, stopped, beside those that wait; if that fails nothing of them is left. */
  void stage(Criu criu, Fields images) throws IOException {
    try (var standIns = new StandIns()) {
      for (Hold hold : holds) {
        standIns.make(hold.files(), hold.directory(), hold.directoryMode());
      }
      for (String root : images.values().keySet()) {
        Path folder = ProcessCopy.IMAGES.resolve(images.text(root));
        criu.restoreUnconnected(folder);
        HugePages.forbidAsBefore(folder, Map.of());
      }
      for (Hold hold : holds) {
        StagedProcess staged =
            StagedProcess.hold(
                hold.pid(),
                hold.threads(),
                hold.connections(),
                hold.offsets(),
                hold.files(),
                hold.directory());
        processes.put(hold.pid(), staged);
        order.add(staged);
        staged.check(hold.states());
        populate(staged);
      }
    } catch (IOException e) {
      end(holds.stream().map(Hold::pid).toList());
      throw e;
    } finally {
      holds.clear();
      PidSpace.backToOwn();
    }
  }

  private static void populate(StagedProcess staged) {
    try {
      staged.populate();
    } catch (IOException e) {
      KernelLog.say("the gap will be longer: " + e.getMessage());
    }
  }

  /** The highest number of a thread of theirs; 0 if there are none. */
  int youngest() {
    int youngest = 0;
    for (StagedProcess process : order) {
      youngest = Math.max(youngest, process.youngest());
    }
    return youngest;
  }

  /** Takes pages, on the link's thread; what goes wrong is said at the switch. */
  void takePages(MemorySegment frame) {
    int pid = 0;
    try {
      pid = StagedProcess.pidOf(frame);
      process(pid).takePages(frame);
    } catch (IOException e) {
      failures.putIfAbsent(pid, e);
    }
  }

  /** Takes registers before the switch, likewise. */
  void takeRegisters(byte[] state) {
    int pid = 0;
    try {
      ProcessDelta delta = ProcessDelta.fromBytes(state);
      pid = delta.pid();
      process(pid).takeRegisters(delta);
    } catch (IOException e) {
      failures.putIfAbsent(pid, e);
    }
  }

  /** Lays memory out anew, likewise. */
  void takeMemoryShape(byte[] bytes) {
    int pid = 0;
    try {
      MemoryShape shape = MemoryShape.fromBytes(bytes);
      pid = shape.pid();
      process(pid).takeMemoryShape(shape);
    } catch (IOException e) {
      failures.putIfAbsent(pid, e);
    }
  }

  /** Opens and closes what a process has, likewise. */
  void takeDescriptors(byte[] changes) {
    int pid = 0;
    try {
      DescriptorChanges open = DescriptorChanges.fromBytes(changes);
      pid = open.pid();
      process(pid).takeDescriptors(open);
    } catch (IOException e) {
      failures.putIfAbsent(pid, e);
    }
  }

  /** Begins and ends threads, likewise. */
  void takeThreads(byte[] bytes) {
    int pid = 0;
    try {
      ThreadChanges changes = ThreadChanges.fromBytes(bytes);
      pid = changes.pid();
      try {
        process(pid).takeThreads(changes);
      } finally {
        PidSpace.backToOwn();
      }
    } catch (IOException e) {
      failures.putIfAbsent(pid, e);
    }
  }

  /** Why a copy cannot be used, said by {@link #check}. */
  void failed(IOException reason) {
    failures.putIfAbsent(0, reason);
  }

  /** The files on the disk that {@link #reopen} will open. */
  List<String> diskFiles() {
    var files = new ArrayList<String>();
    for (StagedProcess process : processes.values()) {
      files.addAll(process.diskFiles());
    }
    return List.copyOf(files);
  }

  /** The disk is here: the copies open their files there. */
  void reopen(TwinDevice device) throws IOException {
    var exchange = new FileExchange(device);
    for (StagedProcess process : order) {
      process.reopen(exchange);
    }
  }

  /** Takes the connections of one process; they say nothing until {@link #connect}. */
  synchronized void takeConnections(ProcessDelta delta, Steps steps) throws IOException {
    process(delta.pid()).takeConnections(delta, steps);
    connected.add(delta.pid());
  }

  /**
   * Takes registers, timers and signals of one process, and notes where it is in its files, for
   * {@link #seek}.
   */
  synchronized void take(ProcessDelta delta, Steps steps) throws IOException {
    process(delta.pid()).take(delta, steps);
    taken.add(delta.pid());
  }

  /** One that has its files open is in them where its process was. */
  synchronized void seek(int pid, Steps steps) throws IOException {
    process(pid).seek();
    steps.done("write-offsets");
  }

  /** All of them are, after {@link #reopen}. */
  synchronized void seek(Steps steps) throws IOException {
    for (StagedProcess process : processes.values()) {
      process.seek();
    }
    steps.done("write-offsets");
  }

  /** Which copies cannot be used so far, and why, for A. */
  List<Map<String, Object>> failures() {
    var told = new ArrayList<Map<String, Object>>();
    failures.forEach(
        (pid, failure) ->
            told.add(Map.of("process", pid, "why", String.valueOf(failure.getMessage()))));
    return told;
  }

  /**
   * @throws IOException if a copy is not what its process is in A
   */
  synchronized void check() throws IOException {
    for (IOException failure : failures.values()) {
      throw failure;
    }
    if (!connected.equals(processes.keySet()) || !taken.equals(processes.keySet())) {
      throw new IOException(
          "copies of "
              + processes.keySet()
              + " wait; connections came for "
              + connected
              + ", registers for "
              + taken);
    }
  }

  /** The network is up: the connections may speak. */
  synchronized void connect() throws IOException {
    for (StagedProcess process : processes.values()) {
      process.connect();
    }
  }

  private StagedProcess process(int pid) throws IOException {
    StagedProcess process = processes.get(pid);
    if (process == null) {
      throw new IOException("no copy of process " + pid + " waits here");
    }
    return process;
  }

  /** Lets the copies run. */
  synchronized void resume() throws IOException {
    for (int pid : processes.keySet()) {
      // One that runs already may have ended another.
      var _ = Processes.killIfThere(pid, Linux.SIGCONT());
    }
  }

  /** They run: nobody else has their connections open from here on. */
  synchronized void letGoConnections() throws IOException {
    for (StagedProcess process : processes.values()) {
      process.letGoConnections();
    }
  }

  /** Waits until each has taken what had arrived for it, and sleeps; not for ever. */
  void awaitServed() throws IOException {
    long deadline = System.nanoTime() + SERVED.toNanos();
    for (StagedProcess process : processes.values()) {
      process.awaitServed(deadline);
    }
  }

  /** The copies are the processes now. */
  synchronized void letGo() throws IOException {
    for (StagedProcess process : processes.values()) {
      process.close();
    }
    processes.clear();
    order.clear();
    connected.clear();
    taken.clear();
  }

  /** Ends all copies; returns when their numbers are free. */
  synchronized void clear() throws IOException {
    var ended = new TreeSet<>(processes.keySet());
    holds.forEach(hold -> ended.add(hold.pid()));
    holds.clear();
    end(ended);
    letGo();
  }

  /** Ends some, likewise; what could not be given to a copy does not matter any more. */
  synchronized void end(Collection<Integer> ended) throws IOException {
    for (int pid : ended) {
      var _ = Processes.killIfThere(pid, Linux.SIGKILL());
    }
    for (int pid : ended) {
      StagedProcess process = processes.remove(pid);
      if (process != null) {
        order.remove(process);
        process.close();
      }
      connected.remove(pid);
      taken.remove(pid);
      failures.remove(pid);
    }
    for (int pid : ended) {
      Reaping.await(pid);
    }
  }
}
