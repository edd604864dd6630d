package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A's side of the gap: stops the processes, lets go of the NIC while it sends what their copies in
 * B lack, or all of them, and hands both to B. Whoever moves the baton out of SWITCHING decides: B
 * by COMMITTED, or A, when B failed or is late, by ABORTED.
 */
final class OutgoingSwitch {
  private final Clock clock;
  private final Duration deadline;

  /**
   * @param deadline how long B may take from the complete image to the commit
   */
  OutgoingSwitch(Clock clock, Duration deadline) {
    this.clock = clock;
    this.deadline = deadline;
  }

  /**
   * Returns when B owns the processes.
   *
   * @param gap receives what gives the NIC and the processes back to A
   * @throws BrokerException if A is to go on; the baton is ABORTED, B has to be stopped, then
   *     {@code gap} undone
   */
  void run(Stage.Copied copied, Undo gap) throws BrokerException {
    SharedRegion region = copied.booted().prepared().region();
    var trace = new Trace("A");
    getReady(copied);
    if (!region.moveBaton(Baton.HELD_BY_A, Baton.SWITCHING)) {
      throw failure("the baton is not A's", "roll back");
    }
    String reason;
    try {
      clock.publish(region);
      gap.push("printing messages again", ConsoleMessages::usual);
      ConsoleMessages.hold();
      handOver(copied, gap, trace);
      Peer peer = copied.booted().peer();
      reason = await(peer, FrameType.RESUMED, "resume the processes");
      if (reason.isEmpty()) {
        // What there is to say and to do has time until the clients have their answers.
        reason = await(peer, FrameType.SERVED, "say that the clients are served");
      }
      ConsoleMessages.usual();
    } catch (IOException e) {
      reason = e.getMessage() == null ? e.toString() : e.getMessage();
    } catch (InterruptedException e) {
      reason = "a rollback was asked for";
    }
    if (reason.isEmpty() || !region.moveBaton(Baton.SWITCHING, Baton.ABORTED)) {
      return;
    }
    throw failure(reason, "A goes on as before; read B's console, then try again");
  }

  /** Both sides do once more what the gap will need; then little is left that B lacks. */
  private void getReady(Stage.Copied copied) throws BrokerException {
    Peer peer = copied.booted().peer();
    try {
      peer.send(FrameType.GET_READY, Map.of());
      WarmUp.fly(copied.nic()::rehearse);
      String reason = await(peer, FrameType.READY, "get ready");
      if (!reason.isEmpty()) {
        throw failure(reason, "A goes on as before; read B's console, then try again");
      }
      copied.copies().refresh();
    } catch (IOException e) {
      throw failure(String.valueOf(e.getMessage()), "A goes on as before; try again");
    } catch (InterruptedException e) {
      throw failure("a rollback was asked for", "");
    }
  }

  private void handOver(Stage.Copied copied, Undo gap, Trace trace)
      throws IOException, InterruptedException {
    Prestaging prestaging = copied.prestaging();
    while (true) {
      // Whatever of this is evaluated for the first time is set up by that, before the gap.
      var attempt = new Attempt(copied);
      Background.Task memoryTask = () -> attempt.sendMemory(trace);
      Undo.Step release = prestaging::release;
      trace.follow();
      gap.push("resuming the processes", copied.service()::resume);
      long start = Tsc.read();
      copied.service().stop();
      long stopped = trace.add("freeze", start);
      // The memory of a stopped process does not change: it need not wait for the NIC.
      var memory = new Background(memoryTask);
      Optional<String> obstacle;
      try {
        // Before a dump: CRIU guards the connections only while it looks at them.
        copied.nic().release(gap);
        trace.add("nic-release", stopped);
        attempt.released.complete(true);
        if (prestaging.ready()) {
          gap.push("letting the connections go on", release);
        }
        obstacle = attempt.sendRest(trace);
        memory.join();
        if (obstacle.isEmpty()) {
          complete(copied, start, stopped, trace);
          return;
        }
      } finally {
        attempt.released.complete(false);
        // What is undone after a failure is not to be in use.
        memory.settle();
      }
      List<String> failures = gap.all();
      if (!failures.isEmpty()) {
        throw new IOException(String.join("; ", failures));
      }
      trace.clear();
      copied.copies().anew(obstacle.get());
    }
  }

  /** What two threads send side by side while the processes are stopped. */
  private static final class Attempt {
    private final Stage.Copied copied;
    private final Prestaging prestaging;

    /** Why the copies cannot take what changed; then nothing is sent. */
    private final CompletableFuture<Optional<String>> obstacle = new CompletableFuture<>();

    /** Whether B can have the NIC. */
    private final CompletableFuture<Boolean> released = new CompletableFuture<>();

    Attempt(Stage.Copied copied) {
      this.copied = copied;
      this.prestaging = copied.prestaging();
    }

    /** The memory, and the NIC, once it is known that the copies can be used. */
    void sendMemory(Trace trace) throws IOException {
      Optional<String> found;
      try {
        found = prestaging.restructured(trace.follow());
        obstacle.complete(found);
      } catch (IOException | RuntimeException e) {
        obstacle.complete(Optional.of(String.valueOf(e.getMessage())));
        throw e;
      }
      if (found.isEmpty() && released.join()) {
        copied.booted().peer().send(FrameType.NIC_RELEASED, Map.of("sent_tsc", Tsc.read()));
        if (prestaging.ready()) {
          prestaging.sendPages(trace);
        }
      }
    }

    /**
     * Everything else, which is read while it is not yet known whether the copies can take it.
     *
     * @return why they cannot; empty if it was sent
     */
    Optional<String> sendRest(Trace trace) throws IOException {
      boolean damaged =
          copied.booted().prepared().plan().faults().contains(UpgradePlan.Fault.RESTORE_FAILS);
      List<ProcessDelta> deltas;
      try {
        deltas = prestaging.readDeltas(trace);
      } catch (IOException e) {
        Optional<String> known = obstacle.join();
        if (known.isEmpty()) {
          throw e;
        }
        return known;
      }
      Optional<String> found = obstacle.join();
      if (found.isEmpty()) {
        if (prestaging.ready()) {
          prestaging.sendDeltas(deltas, trace, damaged);
        } else {
          sendDumps(copied, trace, damaged);
        }
      }
      return found;
    }
  }

  private static void complete(Stage.Copied copied, long start, long stopped, Trace trace)
      throws IOException {
    var images = new LinkedHashMap<String, Object>();
    if (!copied.prestaging().ready()) {
      for (int root : copied.copy().roots()) {
        images.put(Integer.toString(root), copied.copy().dumpName(root));
      }
    }
    copied
        .booted()
        .peer()
        .send(
            FrameType.IMAGE_COMPLETE,
            Map.of(
                "upgrade",
                copied.booted().prepared().plan().upgrade(),
                "images",
                images,
                "trace",
                trace.spans(),
                "frozen_tsc",
                start,
                "stopped_tsc",
                stopped,
                "sent_tsc",
                Tsc.read()));
  }

  private static void sendDumps(Stage.Copied copied, Trace trace, boolean damaged)
      throws IOException {
    for (int root : copied.copy().roots()) {
      long from = Tsc.read();
      Path folder = copied.copy().dump(root);
      from = trace.add("dump", from);
      if (damaged) {
        damage(folder);
      }
      copied.copy().sendDump(root, folder);
      trace.add("send-image", from);
    }
  }

  /** Empty if B has answered that it did what it was to do, else why it did not. */
  private String await(Peer peer, int done, String what) throws IOException, InterruptedException {
    Optional<Inbox.Message> answer = peer.inbox().poll(deadline.toNanos());
    if (answer.isEmpty()) {
      return "B did not " + what + " within " + deadline.toMillis() + " ms";
    }
    int type = answer.get().type();
    if (type == FrameType.RESUME_FAILED) {
      return Failure.fromJson(answer.get().json()).why();
    }
    return type == done ? "" : "B was to " + what + ", and sent message " + type;
  }

  /** Cuts the registers' image short, as a torn write would. */
  private static void damage(Path folder) throws IOException {
    try (var cores = Files.newDirectoryStream(folder, "core-*.img")) {
      for (Path core : cores) {
        byte[] bytes = Files.readAllBytes(core);
        Files.write(core, java.util.Arrays.copyOf(bytes, bytes.length / 2));
      }
    }
  }

  private static BrokerException failure(String why, String todo) {
    return new BrokerException(new Failure("switch-failed", "the switch", why, todo, false));
  }
}
