package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.prestage.DumpedTimers;
import io.twinkernel.broker.prestage.HugePages;
import io.twinkernel.broker.prestage.OrphanedConnections;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.prestage.SegmentSizes;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * B's side of the gap: takes the NIC while A dumps, brings the copies of the processes that wait
 * here up to date, or restores the processes, moves the baton to COMMITTED, and only then lets a
 * packet in or a process run. A stand-in held the address before, so that sockets could be restored
 * without the NIC.
 */
final class IncomingSwitch {
  /** What A says in the end, for practice. */
  private static final byte[] NO_IMAGES =
      """
      {"upgrade":"","rehearse":false,"images":{},"frozen_tsc":1,"stopped_tsc":1,"sent_tsc":1}
      """
          .getBytes(StandardCharsets.UTF_8);

  private final TwinDevice device;
  private final SharedRegion region;
  private final Clock clock;
  private final IncomingState ready;
  private final Trace trace;
  private final PrestagedProcesses copies;
  private final int practice;

  /** The roots of those that no copy waited for, here by A's number. */
  private final Map<Integer, Integer> restored = new LinkedHashMap<>();

  /** What failed before the image was complete. */
  private volatile @Nullable IOException early;

  private boolean committed;

  /** Taking the disk; null if A has not let go of it. */
  private volatile @Nullable Background taking;

  /**
   * @param practice how often at least the gap is practised
   * @param fault what is to go wrong
   */
  IncomingSwitch(
      TwinDevice device,
      SharedRegion region,
      Clock clock,
      IncomingState ready,
      PrestagedProcesses copies,
      int practice,
      Optional<SwitchFault> fault) {
    this.device = device;
    this.region = region;
    this.clock = clock;
    this.ready = ready;
    this.copies = copies;
    this.practice = practice;
    this.trace = new Trace(SharedRegion.Side.B, fault);
  }

  Criu criu() {
    return ready.criu();
  }

  Trace trace() {
    return trace;
  }

  /**
   * Does all that the gap will need, but for what only the gap can.
   *
   * @param eachTime what else is done each time
   */
  void warmUp(WarmUp.Step eachTime) throws IOException {
    WarmUp.fly(
        practice,
        canary -> {
          canary.threads();
          restoreImages(Inbox.Message.now(FrameType.IMAGE_COMPLETE, NO_IMAGES).json());
          PidSpace.last();
          ready.nic().rehearse();
          region.rehearseBaton();
          eachTime.run();
        });
    ready.nic().practise();
  }

  /** The gap is near: what can be done before, and what need not happen in it. */
  void getReady(Inbox.Message message, Pulse pulse) throws IOException {
    ready.clocks().steer(ClockReading.fromJson(message.json().object("clocks")));
    ConsoleMessages.hold();
    warmUp(pulse::mark);
    ready.nic().getReady();
    clock.adopt(region);
  }

  /** One tree has come as a whole: it is restored while A dumps others. */
  void restoreEarly(Inbox.Message message) throws IOException {
    long from = message.arrivedTsc();
    try {
      restoreImages(message.json());
      trace.add("restore-early", from);
    } catch (IOException e) {
      early = e;
    }
  }

  /** A cannot go on: nothing more is to be restored. */
  void callOff() {
    early = new IOException("A called the switch off");
  }

  /** A has let go of the NIC: take it, link down. */
  void nicReleased(Inbox.Message message) {
    try {
      if (!(ready.nic() instanceof IncomingFunction function)) {
        throw new IOException("A gives its NIC, and this kernel has one");
      }
      function.take(message, trace);
    } catch (IOException e) {
      early = e;
    }
  }

  /** After the commit: what A's interface has received comes in. Lost, it is sent again. */
  void frames(byte[] received) {
    try {
      ready.nic().give(received);
    } catch (IOException e) {
      KernelLog.say("frames that A received are lost: " + e.getMessage());
    }
  }

  /** A has let go of the disk: mount it, beside all else. */
  void diskReleased(Inbox.Message message) {
    try {
      long from = trace.add("disk-handler", message.arrivedTsc());
      if (ready.disk().isEmpty()) {
        throw new IOException("A gives a disk that it did not announce");
      }
      var open = new ArrayList<String>(message.json().texts("open"));
      open.addAll(copies.diskFiles());
      taking = new Background(new TakeDisk(ready.disk().get(), open, from));
    } catch (IOException e) {
      early = e;
    }
  }

  /** Not a lambda: in the gap its first evaluation would set up a class. */
  private final class TakeDisk implements Background.Task {
    private final IncomingDisk disk;
    private final List<String> open;
    private final long from;

    TakeDisk(IncomingDisk disk, List<String> open, long from) {
      this.disk = disk;
      this.open = open;
      this.from = from;
    }

    @Override
    public void run() throws IOException {
      disk.mount(device, open, trace, from);
      long mounted = Tsc.read();
      copies.reopen(device);
      trace.add("disk-files", mounted);
    }
  }

  /** The connections of one process: a copy that waits for the disk can have them before. */
  void connections(byte[] state) {
    Steps steps = trace.follow();
    try {
      ProcessDelta delta = read(state, steps);
      copies.takeConnections(delta, steps);
      OrphanedConnections.HERE.keep(delta, state);
    } catch (IOException e) {
      copies.failed(e);
    }
  }

  /** What else the copy of one process lacks; where it is in files, when these are here. */
  void delta(byte[] state) {
    Steps steps = trace.follow();
    try {
      ProcessDelta delta = read(state, steps);
      copies.take(delta, steps);
      if (ready.disk().isEmpty()) {
        copies.seek(delta.pid(), steps);
      }
    } catch (IOException e) {
      copies.failed(e);
    }
  }

  private static ProcessDelta read(byte[] state, Steps steps) throws IOException {
    ProcessDelta delta = ProcessDelta.fromBytes(state);
    steps.done("read-state");
    return delta;
  }

  /**
   * All images are here: restore, commit, resume.
   *
   * @param arrivedTsc when the message came
   * @return when it happened
   * @throws IOException before the commit: nothing restored here runs, A is to go on, and {@link
   *     #letGo} and {@link #clear} are next; after it, what is {@link #committed} stays here
   */
  Gap resume(Fields complete, long arrivedTsc) throws IOException, InterruptedException {
    restore(complete, arrivedTsc);
    if (!region.moveBaton(Baton.SWITCHING, Baton.COMMITTED)) {
      throw new IOException("A has taken the baton back");
    }
    trace.decided();
    committed = true;
    long committed = Tsc.read();
    long from = committed;
    clock.adopt(region);
    from = trace.add("clock", from);
    if (ready.disk().isPresent()) {
      ready.disk().get().thaw();
      trace.add("disk-thaw", from);
    }
    ready.nic().open(trace.follow());
    from = Tsc.read();
    copies.connect();
    from = trace.add("connect", from);
    leaveNumbers();
    if (restored.isEmpty()) {
      copies.resume();
    } else {
      // The copies are among them.
      ready.service().resume();
    }
    long resumed = trace.add("resume", from);
    copies.letGoConnections();
    return new Gap(
        complete.number("frozen_tsc"), complete.number("stopped_tsc"), committed, resumed);
  }

  /** What the processes start from here on is to be able to move on. */
  private void leaveNumbers() {
    try {
      PidSpace.leaveToServices(Math.max(ready.youngest(), copies.youngest()));
    } catch (IOException e) {
      KernelLog.say("new processes get numbers that cannot move on: " + e.getMessage());
    }
  }

  /** The PCI address of the NIC that carries the service here, if it is not A's. */
  Optional<String> port() {
    return ready.nic() instanceof IncomingPort port
        ? Optional.of(port.function())
        : Optional.empty();
  }

  /** Whether this kernel owns the processes. */
  boolean committed() {
    return committed;
  }

  /**
   * All of {@link #resume} that nobody outside sees: without the commit no packet may come in or go
   * out, and no process may run. What follows the commit is done to the stand-in. {@link #letGo}
   * and {@link #clear} are next.
   */
  RehearsedGap rehearse(Fields complete, long arrivedTsc) throws IOException, InterruptedException {
    restore(complete, arrivedTsc);
    long restoredTsc = Tsc.read();
    clock.adopt(region);
    long from = trace.add("clock", restoredTsc);
    ready.nic().rehearse();
    from = trace.add("nic-open", from);
    copies.connect();
    long connected = trace.add("connect", from);
    return new RehearsedGap(
        complete.number("frozen_tsc"),
        complete.number("stopped_tsc"),
        restoredTsc,
        connected,
        0,
        List.copyOf(trace.spans()));
  }

  /** Has everything of the processes here, stopped. */
  private void restore(Fields complete, long arrivedTsc) throws IOException, InterruptedException {
    requireNoneFailed();
    ready.nic().requireHere();
    if (ready.disk().isPresent()) {
      Background disk = taking;
      if (disk == null) {
        throw new IOException("the image came before the disk");
      }
      disk.join();
      copies.seek(trace.follow());
    }
    long from = trace.add("image-message", complete.number("sent_tsc"), arrivedTsc);
    restoreImages(complete);
    copies.check();
    trace.add("restore", from);
  }

  private void requireNoneFailed() throws IOException {
    IOException failed = early;
    if (failed != null) {
      throw failed;
    }
  }

  /** All that are not restored yet, in the order of the message. */
  private void restoreImages(Fields message) throws IOException {
    requireNoneFailed();
    Fields images = message.object(FrameType.IMAGES);
    for (String root : images.values().keySet()) {
      Path folder = ProcessCopy.IMAGES.resolve(images.text(root));
      int pid = Integer.parseInt(root);
      if (restored.containsKey(pid)) {
        continue;
      }
      StagedContainers.Staged container = ready.containers().byRoot().get(pid);
      int here =
          container == null
              ? ready.criu().restore(folder)
              : ready.criu().restore(folder, container.mounts());
      restored.put(pid, here);
      Map<Integer, Integer> numbers = container == null ? Map.of() : StagedContainers.inside(here);
      HugePages.forbidAsBefore(folder, numbers);
      DumpedTimers.set(folder, numbers);
    }
  }

  /**
   * Lets go of the NIC and the disk, so that A can have them back before this kernel is stopped.
   *
   * @return whether this kernel's drivers have left them
   */
  boolean letGo() {
    try {
      Background disk = taking;
      if (disk != null) {
        disk.settle();
        ready.disk().orElseThrow().letGo(device);
      }
      ready.nic().letGo();
      return true;
    } catch (IOException e) {
      KernelLog.say(
          "A cannot have the devices back before this kernel is stopped: " + e.getMessage());
      return false;
    }
  }

  /** The numbers that processes have in this kernel, by A's, where they are others. */
  Map<Integer, Integer> numbers() {
    return ready.containers().here(Map.copyOf(restored));
  }

  /** Ends what was restored here and waits, without a word. */
  void clear() throws IOException {
    if (!restored.isEmpty()) {
      ProcessTree here = ready.service().processes();
      for (int root : restored.values()) {
        for (ServiceProcess process : here.below(root)) {
          var _ = Processes.killIfThere(process.pid(), Linux.SIGKILL());
        }
      }
      restored.clear();
    }
    copies.clear();
  }

  /**
   * Leaves the CPU to the service until it has answered what came in the gap: what is still to be
   * done can wait, the clients have waited.
   */
  void awaitServed() {
    long from = Tsc.read();
    try {
      copies.awaitServed();
    } catch (IOException e) {
      KernelLog.say("not seen whether the service has answered: " + e.getMessage());
    }
    trace.note("served", from, Tsc.read());
  }

  /** Tells the network where the service is, should it not have seen that by what it sent. */
  void announce() {
    long from = Tsc.read();
    try {
      ready.nic().announce();
    } catch (IOException e) {
      KernelLog.say("the network is not told where the service is: " + e.getMessage());
    }
    trace.note("announce", from, Tsc.read());
  }

  /**
   * After the gap: what CRIU restored sends segments as large as the way allows again. The
   * processes run.
   */
  void workOutSegments() {
    if (restored.isEmpty()) {
      return;
    }
    try {
      for (ServiceProcess process : ready.service().processes().processes()) {
        SegmentSizes.workOut(process.pid());
      }
    } catch (IOException e) {
      KernelLog.say("connections go on with small segments: " + e.getMessage());
    }
  }

  /** There will be no switch, and this kernel goes on. */
  void abandon() throws IOException {
    ready.nic().abandon();
    settle();
  }

  /**
   * After the gap: CRIU, which is in the service's cgroup, and the images are not needed any more.
   */
  void cleanUp() throws IOException {
    ready.nic().cleanUp();
    settle();
  }

  private void settle() throws IOException {
    OrphanedConnections.HERE.forget();
    copies.letGo();
    GracePeriods.usual();
    ConsoleMessages.usual();
    ready.disk().ifPresent(IncomingDisk::settle);
    ready.criu().close();
    ready.containers().unmount();
    ProcessCopy.clear();
  }
}
