package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.prestage.DiskFile;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.CriuException;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * A's side of the copies that wait in B: has them made, keeps them up to date while the processes
 * run, and says at the switch what they still lack.
 */
final class Prestaging implements AutoCloseable {
  /** Less than this is sent in the gap rather than in a round of its own. */
  private static final long SMALL = 1 << 19;

  /** A round that is not this much smaller than the one before says the dirty rate is reached. */
  private static final double WORTHWHILE = 0.7;

  private static final int MOST_ROUNDS = 8;

  /** How long a service may take to catch up after a stop. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private final Peer peer;
  private final Service service;
  private final ProcessCopy copy;
  private final String disk;
  private final Duration deadline;
  private final List<SourceProcess> processes = new ArrayList<>();
  private Map<String, Double> dumpStop = Map.of();

  /**
   * @param disk where the disk is mounted that goes over at the switch; empty for none
   * @param deadline how long B may take to restore the copies
   */
  Prestaging(Peer peer, Service service, ProcessCopy copy, String disk, Duration deadline) {
    this.peer = peer;
    this.service = service;
    this.copy = copy;
    this.disk = disk;
    this.deadline = deadline;
  }

  /** Whether copies wait in B. */
  boolean ready() {
    return !processes.isEmpty();
  }

  /** How long each step took for which processes or threads stood still to be staged, in ms. */
  Map<String, Double> dumpStop() {
    return dumpStop;
  }

  /**
   * Has a copy made in B of a process that runs on: CRIU dumps a fork of it.
   *
   * @return why it cannot be, and is not; empty if a copy waits
   */
  Optional<String> stageRunning() throws IOException, InterruptedException {
    List<ServiceProcess> running = service.processes().processes();
    if (running.size() != 1) {
      return Optional.of("there are " + running.size() + " processes");
    }
    copy.rehearse();
    try {
      copy.requireClocks(running.getFirst().pid());
      SourceProcess process = SourceProcess.fork(running.getFirst().pid(), disk);
      processes.add(process);
      dumpStop = Map.of("fork", process.longestStop());
      process.delay().ifPresent(why -> KernelLog.say("the stop for the fork is longer: " + why));
      var folders = new LinkedHashMap<Integer, Path>();
      Set<String> growing =
          process.diskFiles().stream().map(DiskFile::path).collect(Collectors.toSet());
      folders.put(process.pid(), copy.dumpFork(process.forked().orElseThrow(), growing));
      process.endFork();
      send(folders, List.of(hold(process, process.states())));
      return Optional.empty();
    } catch (Unstageable | CriuException | SyscallException | FileSystemException e) {
      close();
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Has a copy of each process made in B. The processes stop for the dump, and run on.
   *
   * @throws IOException why there are none now; the processes run
   */
  void stage() throws IOException, InterruptedException {
    var folders = new LinkedHashMap<Integer, Path>();
    var holds = new ArrayList<Map<String, Object>>();
    copy.rehearse();
    followRunning();
    var stop = new Stopwatch();
    service.stop();
    stop.done("stop");
    try {
      if (!isAsFollowed()) {
        close();
        follow();
      }
      // CRIU calls a lot in the processes' name, and to tell of it takes long.
      for (SourceProcess process : processes) {
        process.pause();
      }
      stop.done("look");
      var noting = new Background(this::note);
      try {
        for (int root : copy.roots()) {
          folders.put(root, copy.dumpUnconnected(root));
        }
      } finally {
        noting.settle();
      }
      noting.join();
      stop.done("dump");
      for (SourceProcess process : processes) {
        holds.add(hold(process, Map.of()));
        process.begin();
      }
      stop.done("begin");
    } catch (IOException e) {
      close();
      throw e;
    } finally {
      service.resume();
      stop.done("resume");
    }
    dumpStop = stop.millis();
    try {
      send(folders, holds);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private void send(Map<Integer, Path> folders, List<Map<String, Object>> holds)
      throws IOException, InterruptedException {
    var images = new LinkedHashMap<String, Object>();
    for (var folder : folders.entrySet()) {
      copy.sendDump(folder.getKey(), folder.getValue());
      images.put(folder.getKey().toString(), copy.dumpName(folder.getKey()));
    }
    copy.staged();
    for (Map<String, Object> hold : holds) {
      peer.send(FrameType.HOLD, hold);
    }
    peer.send(FrameType.PRESTAGE, Map.of("images", images));
    await(FrameType.PRESTAGED, "staging");
  }

  private void note() throws IOException {
    for (SourceProcess process : processes) {
      process.note();
    }
  }

  private static Map<String, Object> hold(SourceProcess process, Map<Integer, String> states)
      throws IOException {
    return Map.of(
        "states",
        states.entrySet().stream()
            .map(one -> Map.of("descriptor", one.getKey(), "state", one.getValue()))
            .toList(),
        "pid",
        process.pid(),
        "threads",
        process.threads(),
        "connections",
        process.connections(),
        "offsets",
        process.files(),
        "disk_files",
        process.diskFiles().stream().map(DiskFile::toJson).toList(),
        "disk_directory",
        process.diskDirectory());
  }

  /** What is known before the processes stop makes the stop shorter. */
  private void followRunning() throws IOException {
    try {
      follow();
    } catch (IOException e) {
      // It may be on its way from one state to another: what it is once stopped counts.
      close();
    }
  }

  private void follow() throws IOException {
    for (ServiceProcess process : service.processes().processes()) {
      copy.requireClocks(process.pid());
      SourceProcess followed = SourceProcess.follow(process.pid(), disk);
      processes.add(followed);
      for (SourceProcess other : processes.subList(0, processes.size() - 1)) {
        Optional<String> shared = followed.sharedDiskFile(other);
        if (shared.isPresent()) {
          throw new Unstageable(
              "processes " + other.pid() + " and " + process.pid() + " share " + shared.get());
        }
      }
    }
  }

  private boolean isAsFollowed() throws IOException, InterruptedException {
    List<Integer> followed = processes.stream().map(SourceProcess::pid).toList();
    List<Integer> now = service.processes().processes().stream().map(ServiceProcess::pid).toList();
    return followed.equals(now) && restructured().isEmpty();
  }

  private void await(int type, String what) throws IOException, InterruptedException {
    Optional<Inbox.Message> answer = peer.inbox().poll(deadline.toNanos());
    if (answer.isEmpty()) {
      throw new IOException(what + ": B did not answer within " + deadline.toSeconds() + " s");
    }
    Inbox.Message message = answer.get();
    if (message.type() == FrameType.PRESTAGE_FAILED) {
      throw new Unstageable(what + ": " + Failure.fromJson(message.json()).why());
    }
    if (message.type() != type) {
      throw new IOException(what + ": B sent message " + message.type());
    }
  }

  /** Gives the copies up, in B as well. */
  void unstage() throws IOException, InterruptedException {
    if (ready()) {
      close();
      peer.send(FrameType.UNSTAGE, Map.of());
      await(FrameType.UNSTAGED, "giving the copies up");
    }
  }

  /**
   * Brings the copies up to date until a further round would not leave less to send.
   *
   * @return what each round sent
   * @throws Unstageable if they cannot be: a process is not what it was
   */
  List<ProcessCopy.Round> refresh() throws IOException, InterruptedException {
    // The fork, too, was a stop.
    awaitServed();
    look();
    var rounds = new ArrayList<ProcessCopy.Round>();
    boolean worthwhile = true;
    while (worthwhile && rounds.size() < MOST_ROUNDS) {
      long start = System.nanoTime();
      long bytes = 0;
      var registers = new ArrayList<ProcessDelta>();
      pauseService();
      try {
        if (rounds.isEmpty()) {
          for (SourceProcess process : processes) {
            registers.add(process.registers());
          }
        }
        for (SourceProcess process : processes) {
          bytes += process.collect();
        }
      } finally {
        resumeService();
      }
      for (ProcessDelta delta : registers) {
        peer.link().send(FrameType.REGISTERS, delta.toBytes());
      }
      send();
      peer.link().flush();
      awaitServed();
      worthwhile =
          bytes > SMALL && (rounds.isEmpty() || bytes < rounds.getLast().bytes() * WORTHWHILE);
      rounds.add(new ProcessCopy.Round(bytes, (System.nanoTime() - start) / 1e6));
    }
    return List.copyOf(rounds);
  }

  /** Stops the processes for a moment, in which nothing is compiled. */
  private void pauseService() throws IOException {
    JustInTimeCompiler.pause();
    try {
      stopService();
    } catch (IOException e) {
      JustInTimeCompiler.usual();
      throw e;
    }
  }

  private void resumeService() throws IOException {
    try {
      service.resume();
    } finally {
      JustInTimeCompiler.usual();
    }
  }

  /** Stops the processes: the sooner for what is known of them. */
  void stopService() throws IOException {
    service.stop(
        processes.size() == 1 ? Optional.of(processes.getFirst().stopping()) : Optional.empty());
  }

  /**
   * In a stop of its own, as it takes longer than what a round does in one. What they become while
   * the rounds go on is seen at the next look.
   */
  private void look() throws IOException, InterruptedException {
    Optional<String> obstacle;
    pauseService();
    try {
      obstacle = restructured();
    } finally {
      resumeService();
    }
    if (obstacle.isPresent()) {
      throw new Unstageable(obstacle.get());
    }
    awaitServed();
  }

  /**
   * Waits until what clients sent while the processes were stopped is taken: they are not to wait
   * for two stops in a row.
   */
  private void awaitServed() throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (SourceProcess process : processes) {
      process.awaitServed(deadline);
    }
  }

  /**
   * Looks, while the processes are stopped, whether the copies can take all that changed.
   *
   * @return why not; empty if they can
   */
  private Optional<String> restructured() throws IOException, InterruptedException {
    var within = new CompletableFuture<Optional<String>>();
    var beside = new Background(() -> within.complete(restructuredWithin(Steps.UNTOLD)));
    Optional<String> outside;
    try {
      outside = restructuredOutside(Steps.UNTOLD);
    } finally {
      beside.settle();
    }
    beside.join();
    Optional<String> found = outside.isPresent() ? outside : within.join();
    return found.isPresent() ? found : arrived(Steps.UNTOLD);
  }

  /** The first part of {@link #restructured}: what they called, and their memory. */
  Optional<String> restructuredWithin(Steps steps) throws IOException {
    return first(process -> process.restructuredWithin(steps));
  }

  /** The second part: what they have open. */
  Optional<String> restructuredOutside(Steps steps) throws IOException {
    return first(process -> process.restructuredOutside(steps));
  }

  /** The third part, for when nothing comes in any more: signals, and what has come until then. */
  Optional<String> arrived(Steps steps) throws IOException {
    return first(process -> process.arrived(steps));
  }

  @FunctionalInterface
  private interface Look {
    Optional<String> at(SourceProcess process) throws IOException;
  }

  private Optional<String> first(Look look) throws IOException {
    for (SourceProcess process : processes) {
      Optional<String> why = look.at(process);
      if (why.isPresent()) {
        return Optional.of("process " + process.pid() + ": " + why.get());
      }
    }
    return Optional.empty();
  }

  /** Sends the last pages; the processes are stopped and stay so. */
  void sendPages(Trace trace) throws IOException {
    long from = Tsc.read();
    long bytes = 0;
    for (SourceProcess process : processes) {
      bytes += process.collectLast();
    }
    from = trace.add("scan-pages", from);
    send();
    trace.add("send-" + bytes + "-bytes", from);
  }

  private void send() throws IOException {
    for (SourceProcess process : processes) {
      process.send(new PageSender(peer.link()));
    }
  }

  /**
   * Reads and sends the connections; no packet comes in any more. They stand still until {@link
   * #release}, also if it fails. First, as B needs longest for them.
   */
  void sendConnections(Trace trace) throws IOException {
    for (SourceProcess process : processes) {
      send(FrameType.CONNECTIONS, process.readConnections(trace.follow()).toBytes(), trace);
    }
  }

  /**
   * Reads and sends what else the copies lack.
   *
   * @param damaged cut off, as a torn write would leave it
   */
  void sendRest(Trace trace, boolean damaged) throws IOException {
    for (SourceProcess process : processes) {
      byte[] bytes = process.readRest(trace.follow()).toBytes();
      send(FrameType.DELTA, damaged ? Arrays.copyOf(bytes, bytes.length / 2) : bytes, trace);
    }
  }

  private void send(int type, byte[] state, Trace trace) throws IOException {
    long from = Tsc.read();
    peer.link().send(type, state);
    trace.add("send-state", from);
  }

  /** Lets the connections that {@link #sendConnections} took go on here. */
  void release() throws IOException {
    for (SourceProcess process : processes) {
      process.release();
    }
  }

  private record PageSender(Link link) implements SourceProcess.Sender {
    /** Small enough that both sides work at once. */
    private static final int CHUNK = 1 << 19;

    @Override
    public long limit() {
      return Math.min(CHUNK, link.limit());
    }

    @Override
    public void send(int most, SourceProcess.Frame frame) throws IOException {
      link.send(FrameType.PAGES, most, frame::fill);
    }
  }

  /** Stops following the processes; what waits in B is not touched. */
  @Override
  public void close() throws IOException {
    for (SourceProcess process : processes) {
      process.close();
    }
    processes.clear();
  }
}
