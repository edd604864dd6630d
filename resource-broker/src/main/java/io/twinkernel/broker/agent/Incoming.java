package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TwinDoorbell;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.pci.BusAhead;
import io.twinkernel.broker.policy.Policy;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.ClockOffsets;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.CriuClocks;
import io.twinkernel.broker.process.CriuException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** An upgrade on the kernel that takes, from its first message to A until it owns the processes. */
final class Incoming {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  /** Where the processes are is settled by then, and clients are served. */
  private static final Duration TRACE_WITHIN = Duration.ofSeconds(10);

  private final TwinDevice device;
  private final SharedRegion region;
  private final Clock clock;
  private final Peer peer;
  private final PrestagedProcesses copies = new PrestagedProcesses();
  private final LinkAnswers answers = new LinkAnswers();
  private byte[] ssdt = {};
  private byte[] network = {};
  private Restarts restarts = new Restarts(List.of());
  private CgroupLayout cgroups = new CgroupLayout(List.of());
  private ServiceCpus cpus = new ServiceCpus(List.of(), List.of());
  private @Nullable Fields legacy;
  private @Nullable NodeConf conf;
  private volatile @Nullable IncomingSwitch incomingSwitch;
  private volatile @Nullable Pulse pulse;

  /** Where the time went in A; that is known in the end, and fails when the link ends before. */
  private final CompletableFuture<Inbox.Message> sourceTrace = new CompletableFuture<>();

  /**
   * What B owns after the switch.
   *
   * @param gap empty where this broker was not there
   */
  record Taken(
      NodeConf conf,
      String upgrade,
      Peer peer,
      SharedRegion region,
      Optional<Gap> gap,
      List<Object> trace,
      Restarts restarts,
      CpuKeeper cpus) {}

  Incoming(TwinDevice device, SharedRegion region) throws IOException {
    this.device = device;
    this.region = region;
    this.clock = new Clock(device.info().tscKhz());
    var inbox = new Inbox();
    ProcessCopy.open();
    var images = new ImageReceiver(ProcessCopy.IMAGES, copies);
    Link link =
        region.connect(
            SharedRegion.Side.B,
            new TwinDoorbell(device),
            (type, payload) -> receive(images, inbox, type, payload),
            reason -> {
              stopPulse();
              sourceTrace.completeExceptionally(reason);
              inbox.end(reason);
            });
    this.peer = new Peer(link, inbox);
  }

  /** On the link's thread: the one that carries out the upgrade may be busy with the NIC. */
  private void receive(ImageReceiver images, Inbox inbox, int type, MemorySegment payload)
      throws IOException {
    if (LinkAnswers.takes(type) && incomingSwitch == null) {
      answers.receive(peer.link(), type, payload);
      return;
    }
    switch (type) {
      case FrameType.GET_READY -> {
        Urgency.LINK.begin();
        images.receive(inbox, type, payload);
      }
      case FrameType.CONNECTIONS -> current().connections(payload.toArray(ValueLayout.JAVA_BYTE));
      case FrameType.DELTA -> current().delta(payload.toArray(ValueLayout.JAVA_BYTE));
      case FrameType.FRAMES -> current().frames(payload.toArray(ValueLayout.JAVA_BYTE));
      case FrameType.TRACE ->
          sourceTrace.complete(Inbox.Message.now(type, payload.toArray(ValueLayout.JAVA_BYTE)));
      case FrameType.CALLED_OFF -> {
        current().callOff();
        images.receive(inbox, type, payload);
      }
      case FrameType.DISK_RELEASED ->
          current().diskReleased(Inbox.Message.now(type, payload.toArray(ValueLayout.JAVA_BYTE)));
      default -> images.receive(inbox, type, payload);
    }
  }

  Peer peer() {
    return peer;
  }

  /**
   * Says hello and does what A asks until the switch.
   *
   * @param cpuFailures why this kernel lacks CPUs that A gave it; A decides what comes of that
   * @return when this kernel owns the processes
   * @throws IOException if the link has ended: A has gone on alone
   */
  Taken run(String kernel, List<String> cpuFailures) throws IOException, InterruptedException {
    clock.adopt(region);
    peer.send(
        FrameType.HELLO,
        Map.of(
            "kernel",
            kernel,
            "apic_ids",
            List.copyOf(ApicIds.read().values()),
            "cpu_failures",
            cpuFailures));
    while (true) {
      Inbox.Message message = peer.inbox().take();
      Optional<Taken> taken = handle(message);
      if (taken.isPresent()) {
        return taken.get();
      }
    }
  }

  private Optional<Taken> handle(Inbox.Message message) throws IOException, InterruptedException {
    switch (message.type()) {
      case FrameType.CONFIG -> conf = NodeConf.adopt(message.payload());
      case FrameType.SETTINGS -> adopt(message.json());
      case FrameType.POLICY -> Files.write(Policy.FILE, message.payload());
      case FrameType.MEMORY -> takeMemory(message.json());
      case FrameType.SSDT -> ssdt = message.payload();
      case FrameType.INTERFACE -> network = message.payload();
      case FrameType.FAILOVER -> legacy = message.json();
      case FrameType.STAGE -> {
        StageNote.write(message.payload(), network);
        stage(message.json());
      }
      case FrameType.HOLD -> copies.hold(message.json());
      case FrameType.PRESTAGE -> prestage(message.json());
      case FrameType.UNSTAGE -> {
        copies.end(message.json().numbers("processes"));
        peer.send(FrameType.UNSTAGED, Map.of());
      }
      case FrameType.ASK_COPIES ->
          peer.send(FrameType.COPIES, Map.of("failures", copies.failures()));
      case FrameType.GET_READY -> getReady(message);
      case FrameType.NIC_RELEASED -> current().nicReleased(message);
      case FrameType.RESTORE -> current().restoreEarly(message);
      case FrameType.IMAGE_COMPLETE -> {
        return resume(message);
      }
      case FrameType.CALLED_OFF -> calledOff(message.json().text("why"));
      default -> throw new IOException("message " + message.type() + " before the switch");
    }
    return Optional.empty();
  }

  /** What A left for the case that it panics; empty if this kernel is to stay put then. */
  Optional<Failover.Legacy> legacy() throws IOException {
    NodeConf node = conf;
    Fields machine = legacy;
    return node == null || machine == null
        ? Optional.empty()
        : Optional.of(new Failover.Legacy(node, machine, ssdt, InterfaceState.fromBytes(network)));
  }

  /** Ends what waits here for a switch that will not come. */
  void abandon() throws IOException {
    gapIsOver();
    IncomingSwitch unfinished = incomingSwitch;
    if (unfinished == null) {
      copies.clear();
    } else {
      unfinished.clear();
      unfinished.abandon();
    }
  }

  /** The machine is to go on as it was: what cannot be had is said. */
  private static void adopt(Fields settings) throws MalformedMessageException {
    new KernelLimits().raise(settings.object("limits")).forEach(KernelLog::say);
    HostName.set(settings).forEach(KernelLog::say);
  }

  private NodeConf configuration() throws IOException {
    NodeConf node = conf;
    if (node == null) {
      throw new IOException("A switches before it sent its configuration");
    }
    return node;
  }

  private IncomingSwitch current() throws IOException {
    IncomingSwitch current = incomingSwitch;
    if (current == null) {
      throw new IOException("A switches before this kernel is ready");
    }
    return current;
  }

  /** One block after the other: each has room for the structures of the next. */
  private void takeMemory(Fields memory) throws IOException {
    try {
      for (SystemRam.Range range : SystemRam.fromJson(memory, "ranges")) {
        long added = device.addMemory(range.start(), range.size());
        if (added < range.size()) {
          throw new IOException("of " + range + " only " + added + " bytes could be taken");
        }
      }
    } catch (IOException e) {
      peer.send(FrameType.RESUME_FAILED, failure("taking memory", e).toJson());
      tell("taking memory", e);
    }
  }

  private void stage(Fields stage) throws IOException, InterruptedException {
    try {
      ServicePractice.run(
          CGROUPS.resolve("twin-practice"),
          configuration().servicePractice(),
          Duration.ofMillis(stage.number("practice_ms")));
      requireFree(stage.numbers("threads"));
      StagedFiles.require(stage);
      restarts = Restarts.read(stage);
      cgroups = StagedCgroups.read(stage);
      cpus = ServiceCpus.read(stage.object("cpus"));
      Optional<IncomingDisk> disk = IncomingDisk.read(stage);
      IncomingNic nic = nic(stage);
      if (disk.isPresent()) {
        disk.get().prepare(device);
      }
      Path cgroup = Path.of(stage.text("cgroup"));
      ClockReading there = ClockReading.fromJson(stage.object("clocks"));
      var clocks = new ClockSteering(there, ClockReading.now(), clock.tscKhz());
      clocks.begin();
      var ready =
          new IncomingState(
              nic,
              disk,
              new Service(cgroup),
              StagedContainers.read(stage).mounted(),
              clocks,
              (int) stage.number("last_pid"),
              startCriu(cgroup, clocks.offsets()));
      GracePeriods.expedite();
      Background.prepare();
      int practice = configuration().practice();
      Optional<SwitchFault> fault = SwitchFault.parse(stage.text("fault"));
      incomingSwitch = new IncomingSwitch(device, region, clock, ready, copies, practice, fault);
      incomingSwitch.warmUp(() -> {});
      peer.send(FrameType.STAGED, Map.of());
    } catch (IOException e) {
      peer.send(FrameType.RESUME_FAILED, failure("getting ready", e).toJson());
      tell("getting ready", e);
    }
  }

  private IncomingNic nic(Fields stage) throws IOException {
    InterfaceState state = InterfaceState.fromBytes(network);
    String port = stage.text("port");
    if (!port.isEmpty()) {
      return IncomingPort.set(device, port, state);
    }
    String function = stage.text("function");
    // What is left of taking the NIC is its driver's part.
    BusAhead.fromJson(stage.object("bus")).prepare(device, ssdt);
    return new IncomingFunction(
        device, function, ssdt, StandInInterface.set(state), NicRehearsal.find(function));
  }

  private void prestage(Fields prestage) throws IOException {
    try {
      copies.stage(current().criu(), prestage.object("images"));
      ProcessCopy.clear();
      peer.send(FrameType.PRESTAGED, Map.of());
    } catch (IOException e) {
      peer.send(FrameType.PRESTAGE_FAILED, failure("restoring a copy", e).toJson());
      tell("restoring a copy", e);
    }
  }

  /** A thread can only be restored where its number is not taken. */
  private static void requireFree(List<Integer> threads) throws IOException {
    for (int thread : threads) {
      if (Files.exists(Path.of("/proc/" + thread))) {
        throw new IOException(
            "this kernel has a process or thread "
                + thread
                + " of its own, and so has the service; restart the service with"
                + " kernel.ns_last_pid set higher");
      }
    }
  }

  /** What CRIU restores is in the cgroup that it is in itself, and that it inherits from us. */
  private static Criu startCriu(Path cgroup, ClockOffsets clocks) throws IOException {
    Files.createDirectories(cgroup);
    SysFiles.write(cgroup + "/cgroup.procs", "0");
    try {
      Criu criu =
          Criu.start(Files.createDirectories(ProcessCopy.WORK), new CriuClocks.Shifted(clocks));
      criu.check();
      return criu;
    } finally {
      SysFiles.write(CGROUPS + "/cgroup.procs", "0");
    }
  }

  private void getReady(Inbox.Message message) throws IOException {
    IncomingSwitch current = current();
    Pulse beating = Pulse.begin(region, SharedRegion.Side.B);
    pulse = beating;
    try {
      current.getReady(message, beating);
      JustInTimeCompiler.settle();
      JustInTimeCompiler.pause();
      Urgency.SWITCH.begin();
      Urgency.BESIDE.beginBeside();
      peer.send(FrameType.READY, Map.of(FrameType.LATEST_PULSE, beating.latest().toNanos()));
    } catch (IOException e) {
      gapIsOver();
      peer.send(FrameType.RESUME_FAILED, failure("getting ready", e).toJson());
      tell("getting ready", e);
    }
  }

  /** A cannot go on, and has the baton back. */
  private void calledOff(String why) throws IOException {
    IncomingSwitch current = current();
    giveBack(current, "A called the switch off", new IOException(why));
  }

  /** Lets go of what A gave, and tells A; nothing restored here has run. */
  private void giveBack(IncomingSwitch current, String what, IOException e) throws IOException {
    var failed = new HashMap<>(failure(what, e).toJson());
    failed.put(FrameType.DEVICES_ARE_FREE, current.letGo());
    peer.send(FrameType.RESUME_FAILED, failed);
    gapIsOver();
    tell(what, e);
    current.clear();
  }

  private Optional<Taken> resume(Inbox.Message message) throws IOException, InterruptedException {
    IncomingSwitch current = current();
    NodeConf node = configuration();
    try {
      Fields complete = message.json();
      if (complete.flag("rehearse")) {
        var rehearsed = new HashMap<>(current.rehearse(complete, message.arrivedTsc()).toJson());
        rehearsed.put(FrameType.DEVICES_ARE_FREE, current.letGo());
        peer.send(FrameType.REHEARSED, rehearsed);
        gapIsOver();
        current.clear();
        return Optional.empty();
      }
      Gap gap = current.resume(complete, message.arrivedTsc());
      long resumed = System.nanoTime();
      wake(FrameType.OPENED);
      // Whatever else there is to do has time until the clients have their answers.
      current.awaitServed();
      current.announce();
      // The baton has decided; whether A hears of it or not changes nothing here.
      wake(FrameType.RESUMED);
      gapIsOver();
      current.workOutSegments();
      current.cleanUp();
      Optional<Fields> told = sourceTold();
      Map<Integer, Integer> numbers = current.numbers();
      latest(told).renumbered(numbers).apply(node.serviceCgroup()).forEach(KernelLog::say);
      var keeper =
          new CpuKeeper(latestCpus(told).renumbered(numbers), () -> Service.of(node), resumed);
      var trace = new ArrayList<Object>();
      if (told.isPresent()) {
        trace.addAll(told.get().list("trace"));
      }
      trace.addAll(current.trace().spans());
      return Optional.of(
          new Taken(
              serviceOn(current.port(), node),
              complete.text("upgrade"),
              peer,
              region,
              Optional.of(gap),
              List.copyOf(trace),
              restarts,
              keeper));
    } catch (IOException e) {
      if (current.committed()) {
        gapIsOver();
        // What is here is all there is: nothing of it is undone, and A is not asked.
        tell("resuming the processes", e);
        return Optional.empty();
      }
      giveBack(current, "restoring the processes", e);
      return Optional.empty();
    }
  }

  private void stopPulse() {
    Pulse beating = pulse;
    if (beating != null) {
      beating.close();
    }
  }

  private void gapIsOver() {
    stopPulse();
    Urgency.end();
    JustInTimeCompiler.usual();
  }

  /** For the next upgrade, which starts from here. */
  static NodeConf serviceOn(Optional<String> port, NodeConf node) {
    try {
      return port.isEmpty() ? node : NodeConf.serviceOn(port.get());
    } catch (IOException e) {
      KernelLog.say("write into node.conf which NIC the service is on: " + why(e));
      return node;
    }
  }

  /** What A tells after the gap; without it the report has only this kernel's part. */
  private Optional<Fields> sourceTold() throws InterruptedException {
    try {
      return Optional.of(sourceTrace.get(TRACE_WITHIN.toSeconds(), TimeUnit.SECONDS).json());
    } catch (ExecutionException | TimeoutException | MalformedMessageException e) {
      KernelLog.say("A does not tell where the time went: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Of processes that have come since A told of its cgroups only its last word says where. */
  private CgroupLayout latest(Optional<Fields> told) throws MalformedMessageException {
    return told.isPresent() ? cgroups.joined(StagedCgroups.read(told.get())) : cgroups;
  }

  private ServiceCpus latestCpus(Optional<Fields> told) {
    try {
      return told.isPresent() ? ServiceCpus.read(told.get().object("cpus")) : cpus;
    } catch (MalformedMessageException e) {
      KernelLog.say("A does not tell on which CPUs threads are kept: " + e.getMessage());
      return cpus;
    }
  }

  private void wake(int type) {
    try {
      peer.link().send(type, new byte[0]);
    } catch (IOException e) {
      KernelLog.say("A does not hear that this kernel has taken over: " + why(e));
    }
  }

  private static Failure failure(String what, IOException e) {
    return new Failure("twin-failed", what, why(e), "read B's console", false);
  }

  private static String why(IOException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  /**
   * Read it must be, and in the gap the console is silent; A, which waits, does not wait for it.
   */
  private static void tell(String what, IOException e) {
    try {
      ConsoleMessages.usual();
    } catch (IOException silent) {
      e.addSuppressed(silent);
    }
    KernelLog.say(what + ": " + why(e));
    if (e instanceof CriuException criu) {
      KernelLog.say(criu.log());
    }
  }
}
