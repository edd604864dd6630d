package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.net.TcpTransitions;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A's side of the gap: stops the processes, lets go of the NIC while it sends what their copies in
 * B lack, or all of them, and hands both to B. Whoever moves the baton out of SWITCHING decides: B
 * by COMMITTED, or A, when B failed or is late, by ABORTED.
 */
final class OutgoingSwitch {
  private static final Optional<Change> CALLED_OFF =
      Optional.of(new Change(0, "the switch was called off", false));

  /** How long those who connect may be kept waiting for others to have connected or closed. */
  private static final Duration SETTLED = Duration.ofMillis(200);

  /** Of what it may take for all else B has this part to let go: to stop it takes as long. */
  private static final int LETTING_GO_PART = 10;

  private final Clock clock;
  private final Duration deadline;
  private final int practice;

  /**
   * @param deadline how long B may take from the complete image to the commit
   * @param practice how often at least the gap is practised
   */
  OutgoingSwitch(Clock clock, Duration deadline, int practice) {
    this.clock = clock;
    this.deadline = deadline;
    this.practice = practice;
  }

  /**
   * Returns when B owns the processes, or has rehearsed that; then B has to be stopped, and {@code
   * gap} undone, if it is not yet.
   *
   * @param gap receives what gives the NIC and the processes back to A
   * @return what was rehearsed; empty if B owns the processes
   * @throws BrokerException if A is to go on; the baton is ABORTED, B has to be stopped, then
   *     {@code gap} undone
   */
  Optional<RehearsedGap> run(Stage.Copied copied, Undo gap) throws BrokerException {
    Duration latest = getReady(copied);
    SharedRegion region = copied.booted().prepared().region();
    JustInTimeCompiler.pause();
    try (var watch = new PulseWatch(region, SharedRegion.Side.B, copied.booted().peer(), latest)) {
      return switchOver(copied, gap, watch);
    } finally {
      JustInTimeCompiler.usual();
    }
  }

  private Optional<RehearsedGap> switchOver(Stage.Copied copied, Undo gap, PulseWatch watch)
      throws BrokerException {
    SharedRegion region = copied.booted().prepared().region();
    var trace = new Trace(SharedRegion.Side.A, copied.booted().prepared().plan().switchFault());
    if (!region.moveBaton(Baton.HELD_BY_A, Baton.SWITCHING)) {
      throw failure("the baton is not A's", "roll back");
    }
    Answer answer;
    try {
      clock.publish(region);
      gap.push("printing messages again", ConsoleMessages::usual);
      ConsoleMessages.hold();
      handOver(copied, gap, trace, watch);
      boolean rehearse = copied.booted().prepared().plan().rehearse();
      answer = rehearse ? awaitRehearsed(copied, trace) : awaitResumed(copied);
    } catch (IOException e) {
      answer = Answer.none(e.getMessage() == null ? e.toString() : e.getMessage());
    } catch (InterruptedException e) {
      answer = Answer.none("a rollback was asked for");
    }
    boolean goesToB = answer.reason().isEmpty() && answer.rehearsed() == null;
    Optional<Baton> decided = decided(region);
    if (goesToB || decided.equals(Optional.of(Baton.COMMITTED))) {
      tell(copied, trace);
      return Optional.empty();
    }
    boolean free =
        decided.isPresent()
            && (!withB(copied)
                || answer.devicesAreFree()
                || (answer.isNone() && areFree(copied, answer.reason())));
    // B says nothing more.
    watch.rest();
    if (free) {
      copied.disk().ifPresent(ServiceDisk::free);
      goOn(gap);
    }
    RehearsedGap rehearsed = answer.rehearsed();
    if (rehearsed != null) {
      return Optional.of(free ? rehearsed.undone(Tsc.read()) : rehearsed);
    }
    throw failure(answer.reason(), "A goes on as before; read B's console, then try again");
  }

  /** The service need not wait until B has stopped. What fails fails again, and says so, then. */
  private static void goOn(Undo gap) {
    List<String> failures = gap.all();
    if (!failures.isEmpty()) {
      gap.push(
          "going on here",
          () -> {
            throw new IOException(String.join("; ", failures));
          });
    }
  }

  /**
   * Aborts what is not committed, unless the watch has.
   *
   * @return where the baton is now; empty if that is garbage: B has to be stopped before the
   *     processes go on
   */
  private static Optional<Baton> decided(SharedRegion region) {
    region.moveBaton(Baton.SWITCHING, Baton.ABORTED);
    try {
      return Optional.of(region.baton());
    } catch (LinkException e) {
      return Optional.empty();
    }
  }

  /** Whether B may use what A's processes need. */
  private static boolean withB(Stage.Copied copied) {
    return copied.nic().withB() || copied.disk().filter(ServiceDisk::withB).isPresent();
  }

  /** Whether B lets go of it now; it does that sooner than it can be stopped. */
  private boolean areFree(Stage.Copied copied, String why) {
    Peer peer = copied.booted().peer();
    try {
      peer.send(FrameType.CALLED_OFF, Map.of("why", why));
      Optional<Inbox.Message> left = peer.inbox().poll(deadline.toNanos() / LETTING_GO_PART);
      return answer(left, FrameType.RESUME_FAILED, "let go").devicesAreFree();
    } catch (IOException e) {
      KernelLog.say("B has to be stopped first: " + e.getMessage());
    } catch (InterruptedException e) {
      // It is being rolled back.
    }
    return false;
  }

  /**
   * B's word.
   *
   * @param reason why it did not do what it was to do; empty if it did
   * @param rehearsed that it was a rehearsal, and how it went
   * @param devicesAreFree whether its drivers have left what A gave
   * @param isNone B has said nothing; it may be about to
   */
  private record Answer(
      String reason, @Nullable RehearsedGap rehearsed, boolean devicesAreFree, boolean isNone) {

    static Answer none(String reason) {
      return new Answer(reason, null, false, true);
    }

    static Answer of(String reason, boolean devicesAreFree) {
      return new Answer(reason, null, devicesAreFree, false);
    }

    static Answer of(RehearsedGap rehearsed, boolean devicesAreFree) {
      return new Answer("", rehearsed, devicesAreFree, false);
    }
  }

  private Answer awaitResumed(Stage.Copied copied) throws IOException, InterruptedException {
    Peer peer = copied.booted().peer();
    Answer answer = await(peer, FrameType.OPENED, "open the network");
    if (answer.reason().isEmpty()) {
      copied.nic().forward();
      answer = await(peer, FrameType.RESUMED, "resume the processes");
    }
    if (answer.reason().isEmpty()) {
      ConsoleMessages.usual();
    }
    return answer;
  }

  private Answer awaitRehearsed(Stage.Copied copied, Trace trace)
      throws IOException, InterruptedException {
    Answer answer = await(copied.booted().peer(), FrameType.REHEARSED, "rehearse");
    RehearsedGap rehearsed = answer.rehearsed();
    return rehearsed == null
        ? answer
        : Answer.of(rehearsed.after(trace.spans()), answer.devicesAreFree());
  }

  /**
   * For B's report; and where the processes are, among them those that have come since B was told.
   * Not in the gap: to put it in words takes longer than many of its steps.
   */
  private static void tell(Stage.Copied copied, Trace trace) {
    try {
      List<?> cgroups = StagedCgroups.toJson(copied.service().layout());
      Map<String, Object> told = Map.of("trace", trace.spans(), "cgroups", cgroups);
      copied.booted().peer().send(FrameType.TRACE, told);
    } catch (IOException e) {
      KernelLog.say("B does not hear where the time went here: " + e.getMessage());
    }
  }

  /**
   * Both sides do once more what the gap will need; then little is left that B lacks.
   *
   * @return how late B's pulse was meanwhile
   */
  private Duration getReady(Stage.Copied copied) throws BrokerException {
    Peer peer = copied.booted().peer();
    try {
      clock.publish(copied.booted().prepared().region());
      peer.send(FrameType.GET_READY, Map.of("clocks", copied.clocks().reading()));
      WarmUp.fly(
          practice,
          () -> {
            copied.nic().rehearse();
            var _ = TcpTransitions.ports();
            Json.write(completion(copied, List.of(), 0, 0, 0));
          });
      Optional<Inbox.Message> ready = peer.inbox().poll(deadline.toNanos());
      String reason = answer(ready, FrameType.READY, "get ready").reason();
      if (!reason.isEmpty()) {
        throw failure(reason, "A goes on as before; read B's console, then try again");
      }
      copied.copies().refresh();
      if (copied.disk().isPresent()) {
        copied.disk().get().sync();
      }
      JustInTimeCompiler.settle();
      return Duration.ofNanos(ready.orElseThrow().json().number(FrameType.LATEST_PULSE));
    } catch (IOException e) {
      throw failure(String.valueOf(e.getMessage()), "A goes on as before; try again");
    } catch (InterruptedException e) {
      throw failure("a rollback was asked for", "");
    }
  }

  private void handOver(Stage.Copied copied, Undo gap, Trace trace, PulseWatch watch)
      throws IOException, InterruptedException {
    Prestaging prestaging = copied.prestaging();
    for (int looks = 1; true; looks++) {
      // Whatever of this is evaluated for the first time is set up by that, before the gap.
      var attempt = new Attempt(copied, looks < Prestaging.MOST_LOOKS);
      var stop = new StartingShot();
      Background.Task memoryTask = () -> attempt.sendMemory(stop, trace);
      Background.Task diskTask = () -> attempt.sendDisk(stop, gap, trace);
      Background.Task nicTask = () -> attempt.releaseNic(gap, trace);
      Undo.Step release = prestaging::release;
      Undo.Step goOn = prestaging::goOn;
      copied.nic().steady(gap);
      var _ = TcpTransitions.awaitNone(SETTLED);
      trace.follow();
      prestaging.lookAtCalls();
      gap.push("resuming the processes", goOn);
      // A file that nobody else may write to does not change; first, as B needs longest for it.
      var disk = new Background(diskTask);
      // Nor does the memory of a stopped process: it need not wait for the NIC.
      var memory = new Background(memoryTask);
      Optional<Change> obstacle;
      try {
        watch.begin();
        long start = Tsc.read();
        prestaging.stopService();
        stop.fire();
        long stopped = trace.add("freeze", start);
        // Before a dump: CRIU guards the connections only while it looks at them.
        obstacle = attempt.giveNic(nicTask, trace);
        if (obstacle.isEmpty()) {
          if (prestaging.ready()) {
            gap.push("letting the connections go on", release);
          }
          attempt.sendRest(disk, gap, trace);
        }
        memory.join();
        if (obstacle.isEmpty()) {
          complete(copied, attempt.dumped, start, stopped);
          return;
        }
      } finally {
        stop.callOff();
        attempt.obstacle.complete(CALLED_OFF);
        // What is undone after a failure is not to be in use.
        memory.settle();
        disk.settle();
      }
      watch.rest();
      List<String> failures = gap.all();
      if (!failures.isEmpty()) {
        throw new IOException(String.join("; ", failures));
      }
      trace.clear();
      boolean again = obstacle.get().passes() && looks < Prestaging.MOST_LOOKS;
      if (again && prestaging.awaitChildren()) {
        // The service has the time for it that it takes.
        prestaging.awaitServed();
        if (prestaging.suspects().isPresent()) {
          refresh(copied);
        }
      } else {
        anew(copied, obstacle.get());
        looks = 0;
      }
    }
  }

  private static void refresh(Stage.Copied copied) throws IOException, InterruptedException {
    try {
      var _ = copied.copies().refresh();
    } catch (BrokerException e) {
      throw failed(e);
    }
  }

  private static IOException failed(BrokerException e) {
    return new IOException(e.failure().what() + ": " + e.failure().why(), e);
  }

  private static void anew(Stage.Copied copied, Change change)
      throws IOException, InterruptedException {
    try {
      copied.copies().anew(change);
    } catch (BrokerException e) {
      throw failed(e);
    }
  }

  /** What two threads look at and send side by side while the processes are stopped. */
  private static final class Attempt {
    private final Stage.Copied copied;
    private final Prestaging prestaging;

    /** What of the processes themselves is in the way. */
    private final CompletableFuture<Optional<Change>> within = new CompletableFuture<>();

    /** Why the copies cannot take what changed; then no more is sent. */
    private final CompletableFuture<Optional<Change>> obstacle = new CompletableFuture<>();

    /** Memory is laid out anew in B, where it is to be; or that failed, which is said elsewhere. */
    private final CompletableFuture<Boolean> shaped = new CompletableFuture<>();

    /** Roots of the trees of which no copies wait. */
    private volatile List<Integer> dumped = List.of();

    private final boolean patient;

    /**
     * @param patient whether there may be another attempt
     */
    Attempt(Stage.Copied copied, boolean patient) {
      this.copied = copied;
      this.patient = patient;
      this.prestaging = copied.prestaging();
    }

    /**
     * Looks at the one half of what may have changed, then sends the memory. If the copies cannot
     * be used for the other half's sake, they have got pages that they did not need.
     */
    void sendMemory(StartingShot stop, Trace trace) throws IOException {
      if (!stop.await()) {
        return;
      }
      Optional<Change> found = CALLED_OFF;
      try {
        found = prestaging.restructuredAtLast(trace.follow(), patient);
      } finally {
        within.complete(found);
      }
      boolean ready = found.isEmpty() && prestaging.ready();
      try {
        if (ready) {
          prestaging.sendMemoryShapes(trace.follow());
        }
      } finally {
        shaped.complete(true);
      }
      if (ready) {
        prestaging.sendPages(trace);
      }
    }

    /**
     * Looks at the other half, and lets B have the NIC if the copies can be used: B needs longest
     * for it, so this comes first. What arrives after the NIC is released waits in it, or is lost:
     * all that can be looked at before is.
     *
     * @param release of the NIC
     * @return why they cannot; empty if they can
     */
    Optional<Change> giveNic(Background.Task release, Trace trace)
        throws IOException, InterruptedException {
      Background early = copied.nic().losesNothing() ? new Background(release) : null;
      Optional<Change> found;
      try {
        dumped = prestaging.others();
        found = prestaging.restructuredOutside(trace.follow());
        if (found.isEmpty()) {
          found = within.join();
        }
      } finally {
        if (early != null) {
          early.settle();
        }
      }
      if (early != null) {
        early.join();
      } else if (found.isEmpty()) {
        release.run();
      }
      if (found.isEmpty()) {
        found = prestaging.arrived(trace.follow());
      }
      if (found.isEmpty()) {
        found = prestaging.sendDescriptors(trace.follow());
      }
      if (found.isEmpty()) {
        copied.nic().tell(copied.booted().peer());
      }
      obstacle.complete(found);
      return found;
    }

    /**
     * Releases the NIC.
     *
     * @param gap receives what takes it back
     */
    void releaseNic(Undo gap, Trace trace) throws IOException {
      long from = Tsc.read();
      copied.nic().release(gap);
      trace.add(copied.nic().releaseName(), from);
    }

    /** The disk, once it is known that the copies can be used; before a dump its time is later. */
    void sendDisk(StartingShot stop, Undo gap, Trace trace) throws IOException {
      if (copied.disk().isPresent() && stop.await()) {
        ServiceDisk going = copied.disk().get();
        long from = Tsc.read();
        going.hold(gap);
        trace.add("disk-freeze", from);
        if (obstacle.join().isEmpty() && dumped.isEmpty()) {
          // B knows what its copies will open.
          going.release(List.of(), gap, copied.booted().peer(), trace);
        }
      }
    }

    /** Everything else. */
    void sendRest(Background disk, Undo gap, Trace trace) throws IOException, InterruptedException {
      boolean damaged =
          copied.booted().prepared().plan().faults().contains(UpgradePlan.Fault.RESTORE_FAILS);
      if (prestaging.ready()) {
        prestaging.sendConnections(trace);
        // A copy that has its signals is to make no calls any more.
        shaped.join();
        prestaging.sendRest(trace, damaged);
      }
      if (dumped.isEmpty()) {
        disk.join();
      } else {
        FullDump.send(copied, dumped, disk, gap, trace, damaged);
      }
    }
  }

  private static void complete(Stage.Copied copied, List<Integer> dumped, long start, long stopped)
      throws IOException {
    copied
        .booted()
        .peer()
        .send(FrameType.IMAGE_COMPLETE, completion(copied, dumped, start, stopped, Tsc.read()));
  }

  private static Map<String, Object> completion(
      Stage.Copied copied, List<Integer> dumped, long start, long stopped, long sent) {
    UpgradePlan plan = copied.booted().prepared().plan();
    return Map.of(
        "upgrade",
        plan.upgrade(),
        "rehearse",
        plan.rehearse(),
        FrameType.IMAGES,
        FullDump.images(copied, dumped),
        "frozen_tsc",
        start,
        "stopped_tsc",
        stopped,
        "sent_tsc",
        sent);
  }

  private Answer await(Peer peer, int done, String what) throws IOException, InterruptedException {
    return answer(peer.inbox().poll(deadline.toNanos()), done, what);
  }

  private Answer answer(Optional<Inbox.Message> message, int done, String what) throws IOException {
    if (message.isEmpty()) {
      // Nor would it let go.
      return Answer.of("B did not " + what + " within " + deadline.toMillis() + " ms", false);
    }
    int type = message.get().type();
    if (type == FrameType.RESUME_FAILED) {
      Fields failed = message.get().json();
      return Answer.of(
          Failure.fromJson(failed).why(), failed.flag(FrameType.DEVICES_ARE_FREE, false));
    }
    if (type != done) {
      return Answer.of("B was to " + what + ", and sent message " + type, false);
    }
    if (type == FrameType.REHEARSED) {
      Fields told = message.get().json();
      return Answer.of(RehearsedGap.fromJson(told), told.flag(FrameType.DEVICES_ARE_FREE));
    }
    return Answer.of("", false);
  }

  private static BrokerException failure(String why, String todo) {
    return new BrokerException(new Failure("switch-failed", "the switch", why, todo, false));
  }
}
