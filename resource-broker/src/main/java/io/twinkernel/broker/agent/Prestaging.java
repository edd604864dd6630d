package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.prestage.DescriptorChanges;
import io.twinkernel.broker.prestage.FollowedMemory;
import io.twinkernel.broker.prestage.MemoryShape;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.broker.prestage.ThreadChanges;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A's side of the copies that wait in B: keeps them up to date while the processes run, and says at
 * the switch what they still lack.
 */
final class Prestaging implements AutoCloseable {
  /** Less than this is sent in the gap rather than in a round of its own. */
  private static final long SMALL = 1 << 19;

  /** A round that is not this much smaller than the one before says the dirty rate is reached. */
  private static final double WORTHWHILE = 0.7;

  private static final int MOST_ROUNDS = 8;

  /** What is still on its way after so many looks stays. */
  static final int MOST_LOOKS = 6;

  /** How long a child may take to end. */
  private static final Duration CHILDHOOD = Duration.ofSeconds(3);

  /** How long a service may take to catch up after a stop. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private final Peer peer;
  private final Service service;

  /** Those of each tree of which copies wait, by the PID of its root. */
  private final Map<Integer, List<SourceProcess>> trees = new LinkedHashMap<>();

  private List<SourceProcess> processes = List.of();

  /** Whether those that the last stop stopped are not those that there were. */
  private volatile Optional<Change> newcomers = Optional.empty();

  /** Those of them that are in the trees that are followed: they may have ended soon. */
  private List<Integer> children = List.of();

  private List<Integer> others = List.of();

  /** Roots of trees that may be stopped though no copies wait of them. */
  private Set<Integer> expected = Set.of();

  Prestaging(Peer peer, Service service) {
    this.peer = peer;
    this.service = service;
  }

  /** Whether copies wait in B. */
  boolean ready() {
    return !processes.isEmpty();
  }

  /** Whether copies of that tree do. */
  boolean holds(int root) {
    return trees.containsKey(root);
  }

  /** The root of the tree that a process is of; 0 if no copies of it wait. */
  int root(int pid) {
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      for (SourceProcess process : tree.getValue()) {
        if (process.pid() == pid) {
          return tree.getKey();
        }
      }
    }
    return 0;
  }

  /**
   * Copies of a tree wait from here on.
   *
   * @param followed its processes
   */
  void add(int root, List<SourceProcess> followed) {
    trees.put(root, List.copyOf(followed));
    processes = trees.values().stream().flatMap(List::stream).toList();
  }

  /**
   * Of which trees no copies wait, by their roots. Another one is a change: what it shares with
   * those that are known has to be looked at.
   */
  void expect(Collection<Integer> roots) {
    expected = Set.copyOf(roots);
  }

  /** They do not any more; nothing if they did not. */
  List<SourceProcess> remove(int root) {
    List<SourceProcess> removed = trees.remove(root);
    processes = trees.values().stream().flatMap(List::stream).toList();
    return removed == null ? List.of() : removed;
  }

  /**
   * Brings the copies up to date until a further round would not leave less to send.
   *
   * @param rounds receives what each round sent
   * @return why they cannot be: a process is not what it was; empty if they are
   */
  Optional<Change> refresh(List<ProcessCopy.Round> rounds)
      throws IOException, InterruptedException {
    // The fork, too, was a stop.
    awaitServed();
    Optional<Change> change = look();
    return change.isPresent() ? change : copyRounds(rounds);
  }

  private Optional<Change> copyRounds(List<ProcessCopy.Round> all)
      throws IOException, InterruptedException {
    var rounds = new ArrayList<ProcessCopy.Round>();
    boolean worthwhile = true;
    while (worthwhile && rounds.size() < MOST_ROUNDS) {
      long start = System.nanoTime();
      long bytes = 0;
      var registers = new ArrayList<ProcessDelta>();
      pauseService();
      Optional<Change> come = newcomers;
      try {
        if (come.isPresent() && !come.get().passes()) {
          return come;
        }
        if (rounds.isEmpty()) {
          for (SourceProcess process : processes) {
            process.registers().ifPresent(registers::add);
          }
        }
        for (SourceProcess process : processes) {
          bytes += process.memory().collect();
        }
      } finally {
        resumeService();
      }
      for (ProcessDelta delta : registers) {
        peer.link().send(FrameType.REGISTERS, delta.toBytes());
      }
      // They run: one may end, or give back what is to be read.
      Optional<Change> change = sendAll();
      if (change.isPresent()) {
        return change;
      }
      peer.link().flush();
      awaitServed();
      if (come.isPresent() && !awaitChildren()) {
        return come;
      }
      boolean less = rounds.isEmpty() || bytes < rounds.getLast().bytes() * WORTHWHILE;
      worthwhile = come.isPresent() || (bytes > SMALL && less);
      rounds.add(new ProcessCopy.Round(bytes, (System.nanoTime() - start) / 1e6));
    }
    all.addAll(rounds);
    return Optional.empty();
  }

  /**
   * Each sends what was collected of it, also if another one has ended: it is not collected again.
   *
   * @return which could not, and why; empty if all could
   */
  private Optional<Change> sendAll() throws IOException {
    Optional<Change> failed = Optional.empty();
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      for (SourceProcess process : tree.getValue()) {
        Optional<Change> change = look(tree.getKey(), process, this::send, false);
        failed = failed.isPresent() ? failed : change;
      }
    }
    return failed;
  }

  /** Looks at what the processes have called, while they run: a busy one calls a lot. */
  void lookAtCalls() throws IOException {
    for (SourceProcess process : processes) {
      process.lookAtCalls();
    }
  }

  /** Stops the processes for a moment, in which nothing is compiled. */
  private void pauseService() throws IOException {
    lookAtCalls();
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
      goOn();
    } finally {
      JustInTimeCompiler.usual();
    }
  }

  /** Has the processes run on. */
  void goOn() throws IOException {
    try {
      for (SourceProcess process : processes) {
        process.letGo();
      }
    } finally {
      service.resume();
    }
  }

  /** Stops the processes: the sooner for what is known of them. */
  void stopService() throws IOException {
    ProcessTree stopped =
        service.stop(
            processes.size() == 1
                ? Optional.of(processes.getFirst().stopping())
                : Optional.empty());
    others = others(stopped);
    newcomers = newcomers(stopped);
  }

  /** Roots of the trees that were stopped and of which no copies wait. */
  List<Integer> others() {
    return others;
  }

  private List<Integer> others(ProcessTree stopped) {
    var roots = new ArrayList<Integer>();
    for (ServiceProcess root : stopped.roots()) {
      if (!trees.containsKey(root.pid())) {
        roots.add(root.pid());
      }
    }
    return roots;
  }

  /** Whether there are other trees than are known, or one has other processes than are followed. */
  private Optional<Change> newcomers(ProcessTree stopped) {
    children = List.of();
    for (int root : others) {
      if (!expected.contains(root)) {
        return Optional.of(new Change(0, "process " + root + " has come", false));
      }
    }
    var young = new ArrayList<Integer>();
    Optional<Change> passing = Optional.empty();
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      List<ServiceProcess> now = stopped.below(tree.getKey());
      if (!CopyMaker.areThose(tree.getValue(), now)) {
        String why = "the processes of the tree of process " + tree.getKey() + " are " + now;
        List<Integer> more = CopyMaker.besides(tree.getValue(), now);
        // More of them: what has just come, a worker say, may soon have gone.
        boolean passes = now.size() == tree.getValue().size() + more.size();
        var change = new Change(tree.getKey(), why, passes);
        if (!passes) {
          return Optional.of(change);
        }
        passing = Optional.of(change);
        young.addAll(more);
      }
    }
    children = List.copyOf(young);
    return passing;
  }

  /**
   * In a stop of its own, as it takes longer than what a round does in one. What they become while
   * the rounds go on is seen at the next look.
   */
  private Optional<Change> look() throws IOException, InterruptedException {
    var passing = new HashSet<String>();
    int looks = 0;
    boolean again;
    do {
      Optional<Change> change = followThreads();
      if (change.isEmpty()) {
        pauseService();
        try {
          change = restructured();
        } finally {
          resumeService();
        }
      }
      awaitServed();
      if (change.isPresent() && !(change.get().passes() && awaitChildren())) {
        return change;
      }
      change.ifPresent(one -> passing.add(one.why()));
      again = change.isPresent() && ++looks < MOST_LOOKS;
      if (change.isPresent() && !again && passing.size() == 1) {
        // It does not pass. Where each look finds another one, that is how the service is.
        return change;
      }
    } while (again);
    return Optional.empty();
  }

  /**
   * Looks at what the processes have called, and asks threads that have come what they are, while
   * the processes run.
   *
   * @return why copies cannot have those; empty if they can
   */
  Optional<Change> followThreads() throws IOException {
    lookAtCalls();
    return first(Prestaging::followThreads, false);
  }

  private static Optional<String> followThreads(SourceProcess process) throws IOException {
    process.followThreads();
    return Optional.empty();
  }

  /**
   * Waits until what clients sent while the processes were stopped is taken: they are not to wait
   * for two stops in a row.
   */
  void awaitServed() throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (SourceProcess process : processes) {
      process.awaitServed(deadline);
    }
  }

  /**
   * Waits until children have ended that have come since the copies were made; not for ever.
   *
   * @return whether all have
   */
  boolean awaitChildren() throws IOException {
    long deadline = System.nanoTime() + CHILDHOOD.toNanos();
    for (int child : children) {
      try (Fd process = Processes.open(child)) {
        long left = Math.max(0, deadline - System.nanoTime());
        if (process.poll(Linux.POLLIN(), Duration.ofNanos(left)) == 0) {
          return false;
        }
      } catch (SyscallException e) {
        if (!e.errno().equals(Errno.ESRCH)) {
          throw e;
        }
      }
    }
    children = List.of();
    return true;
  }

  /**
   * Looks, while the processes are stopped, whether the copies can take all that changed, and tells
   * them what they can be told before the switch.
   *
   * @return why they cannot; empty if they can
   */
  private Optional<Change> restructured() throws IOException, InterruptedException {
    var within = new CompletableFuture<Optional<Change>>();
    var beside = new Background(() -> within.complete(restructuredWithin(Steps.UNTOLD)));
    Optional<Change> outside;
    try {
      outside = restructuredOutside(Steps.UNTOLD);
    } finally {
      beside.settle();
    }
    beside.join();
    Optional<Change> found = outside.isPresent() ? outside : within.join();
    if (found.isEmpty()) {
      sendShapes(Steps.UNTOLD);
      found = sendDescriptors(Steps.UNTOLD);
    }
    return found.isPresent() ? found : arrived(Steps.UNTOLD);
  }

  /** The first part of {@link #restructured}: what they called, and their memory. */
  Optional<Change> restructuredWithin(Steps steps) throws IOException {
    // Of one that has ended nothing could be said.
    return newcomers.isPresent()
        ? newcomers
        : first(process -> process.restructuredWithin(steps), false);
  }

  /**
   * As {@link #restructuredWithin}, when what is found is sent in the gap.
   *
   * @param patient whether to call it off where that would be much
   */
  Optional<Change> restructuredAtLast(Steps steps, boolean patient) throws IOException {
    Optional<Change> found = restructuredWithin(steps);
    return found.isPresent() || !patient ? found : suspects();
  }

  /** Whose child may have written to more than is sent in the gap; empty if nobody's. */
  Optional<Change> suspects() {
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      for (SourceProcess process : tree.getValue()) {
        if (process.memory().suspectedBytes() > SMALL) {
          String why = "process " + process.pid() + " has had a child, which shared its memory";
          return Optional.of(new Change(tree.getKey(), why, true));
        }
      }
    }
    return Optional.empty();
  }

  /** The second part: what they have open. */
  Optional<Change> restructuredOutside(Steps steps) throws IOException {
    return newcomers.isPresent()
        ? newcomers
        : first(process -> process.restructuredOutside(steps), false);
  }

  /** The third part, for when nothing comes in any more: signals, and what has come until then. */
  Optional<Change> arrived(Steps steps) throws IOException {
    return first(process -> process.arrived(steps), true);
  }

  /**
   * Has the copies have the threads and the layout of memory that their processes have now, where
   * these differ. Of a thread that begins or ends there must be its memory: the kernel looks into
   * it.
   */
  void sendShapes(Steps steps) throws IOException {
    sendEndedThreads(steps);
    sendMemoryShapes(steps);
    sendThreads(steps);
  }

  private void sendMemoryShapes(Steps steps) throws IOException {
    boolean any = false;
    for (SourceProcess process : processes) {
      Optional<MemoryShape> shape = process.memory().shape();
      if (shape.isPresent()) {
        peer.link().send(FrameType.MEMORY_SHAPE, shape.get().toBytes());
        any = true;
      }
    }
    if (any) {
      steps.done("send-memory-shape");
    }
  }

  private void sendEndedThreads(Steps steps) throws IOException {
    boolean any = false;
    for (SourceProcess process : processes) {
      any |= send(process.threadsEnded());
    }
    if (any) {
      steps.done("send-threads");
    }
  }

  private void sendThreads(Steps steps) throws IOException {
    boolean any = false;
    for (SourceProcess process : processes) {
      any |= send(process.threadChanges());
    }
    if (any) {
      steps.done("send-threads");
    }
  }

  private boolean send(Optional<ThreadChanges> changes) throws IOException {
    if (changes.isPresent()) {
      peer.link().send(FrameType.THREADS, changes.get().toBytes());
    }
    return changes.isPresent();
  }

  /**
   * Tells the copies what else their processes have open now, and these have done to it; what they
   * called has been looked at.
   *
   * @return what they cannot be told of; empty if nothing
   */
  Optional<Change> sendDescriptors(Steps steps) throws IOException {
    var connections = new HashSet<String>();
    Optional<Change> change = first(process -> process.sharedConnection(connections), false);
    if (change.isEmpty()) {
      change = sendDescriptors();
    }
    steps.done("send-descriptors");
    return change;
  }

  private Optional<Change> sendDescriptors() throws IOException {
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      List<SourceProcess> all = tree.getValue();
      boolean files = false;
      for (SourceProcess process : all) {
        files |= process.hasOtherDiskFiles();
      }
      for (int i = 0; i < all.size(); i++) {
        Look send = new SendDescriptors(files ? Optional.of(all.subList(0, i)) : Optional.empty());
        Optional<Change> change = look(tree.getKey(), all.get(i), send, false);
        if (change.isPresent()) {
          return change;
        }
      }
    }
    return Optional.empty();
  }

  /** Not a lambda: in the gap its first evaluation would set up a class. */
  private final class SendDescriptors implements Look {
    /** As for {@link SourceProcess#descriptors}. */
    private final Optional<List<SourceProcess>> earlier;

    SendDescriptors(Optional<List<SourceProcess>> earlier) {
      this.earlier = earlier;
    }

    @Override
    public Optional<String> at(SourceProcess process) throws IOException {
      return sendDescriptors(process, earlier);
    }
  }

  private Optional<String> sendDescriptors(
      SourceProcess process, Optional<List<SourceProcess>> earlier) throws IOException {
    DescriptorChanges changes = process.descriptors(earlier);
    if (!changes.isEmpty()) {
      peer.link().send(FrameType.DESCRIPTORS, changes.toBytes());
    }
    return Optional.empty();
  }

  @FunctionalInterface
  private interface Look {
    Optional<String> at(SourceProcess process) throws IOException;
  }

  private Optional<Change> first(Look look, boolean passes) throws IOException {
    for (Map.Entry<Integer, List<SourceProcess>> tree : trees.entrySet()) {
      for (SourceProcess process : tree.getValue()) {
        Optional<Change> change = look(tree.getKey(), process, look, passes);
        if (change.isPresent()) {
          return change;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Change> look(int root, SourceProcess process, Look look, boolean passes)
      throws IOException {
    Optional<String> why;
    boolean mayPass = passes;
    try {
      why = look.at(process);
    } catch (Unstageable e) {
      why = Optional.of(String.valueOf(e.getMessage()));
      mayPass = e.passes();
    } catch (SyscallException | FileSystemException e) {
      // It may have ended.
      why = Optional.of(String.valueOf(e.getMessage()));
      mayPass = false;
    }
    if (why.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Change(root, "process " + process.pid() + ": " + why.get(), mayPass));
  }

  /** Sends the last pages; the processes are stopped and stay so. */
  void sendPages(Trace trace) throws IOException {
    long from = Tsc.read();
    long bytes = 0;
    for (SourceProcess process : processes) {
      bytes += process.memory().collectLast();
    }
    from = trace.add("scan-pages", from);
    for (SourceProcess process : processes) {
      process.memory().send(new PageSender(peer.link()), false);
    }
    trace.add("send-" + bytes + "-bytes", from);
  }

  private Optional<String> send(SourceProcess process) throws IOException {
    process.memory().send(new PageSender(peer.link()), true);
    return Optional.empty();
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
    boolean all = false;
    try {
      for (SourceProcess process : processes) {
        process.beginRegisters();
      }
      for (SourceProcess process : processes) {
        byte[] bytes = process.readRest(trace.follow()).toBytes();
        send(FrameType.DELTA, damaged ? Arrays.copyOf(bytes, bytes.length / 2) : bytes, trace);
      }
      all = true;
    } finally {
      if (!all) {
        for (SourceProcess process : processes) {
          process.letGoRegisters();
        }
      }
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

  private record PageSender(Link link) implements FollowedMemory.Sender {
    /** Small enough that both sides work at once. */
    private static final int CHUNK = 1 << 19;

    @Override
    public long limit() {
      return Math.min(CHUNK, link.limit());
    }

    @Override
    public void send(int most, FollowedMemory.Frame frame) throws IOException {
      link.send(FrameType.PAGES, most, frame::fill);
    }
  }

  /** Stops following the processes; what waits in B is not touched. */
  @Override
  public void close() throws IOException {
    List<SourceProcess> followed = processes;
    trees.clear();
    processes = List.of();
    CopyMaker.close(followed);
  }
}
