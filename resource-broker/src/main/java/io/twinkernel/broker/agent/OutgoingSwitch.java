package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.net.TcpTransitions;
import io.twinkernel.broker.process.CgroupLayout;
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

/**
 * A's side of the gap: stops the processes, lets go of the NIC while it sends what their copies in
 * B lack, or all of them, and hands both to B. Whoever moves the baton out of SWITCHING decides: B
 * by COMMITTED, or A, when B failed or is late, by ABORTED.
 */
final class OutgoingSwitch {
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
      new HandOver(copied, gap, trace, watch).run();
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
   * For B's report; and where the processes are, among them those that have come since B was told,
   * and on which CPUs. Not in the gap: to put it in words takes longer than many of its steps.
   */
  private static void tell(Stage.Copied copied, Trace trace) {
    try {
      CgroupLayout layout = copied.service().layout();
      Map<String, Object> told =
          Map.of(
              "trace",
              trace.spans(),
              "cgroups",
              StagedCgroups.toJson(layout),
              "cpus",
              ServiceCpus.of(copied.service(), layout).toJson());
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
          _ -> {
            copied.nic().rehearse();
            var _ = TcpTransitions.ports();
            Json.write(HandOver.completion(copied, List.of(), 0, 0, 0));
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
