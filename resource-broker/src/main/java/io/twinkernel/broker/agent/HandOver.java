package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.TcpTransitions;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Stops the processes and tells B what it lacks, as often as it takes: where they have become what
 * their copies cannot, they go on, and it is tried again.
 */
final class HandOver {
  /** How long those who connect may be kept waiting for others to have connected or closed. */
  private static final Duration SETTLED = Duration.ofMillis(200);

  private final Stage.Copied copied;
  private final Undo gap;
  private final Trace trace;
  private final PulseWatch watch;

  /**
   * @param gap receives what gives the NIC and the processes back to A
   */
  HandOver(Stage.Copied copied, Undo gap, Trace trace, PulseWatch watch) {
    this.copied = copied;
    this.gap = gap;
    this.trace = trace;
    this.watch = watch;
  }

  /**
   * Returns when B has been told all; B decides then.
   *
   * @throws IOException if it cannot be; the processes are still stopped, if they have been
   */
  void run() throws IOException, InterruptedException {
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
      Optional<Change> obstacle = prestaging.followThreads();
      if (obstacle.isEmpty()) {
        gap.push("resuming the processes", goOn);
        // A file that nobody else may write to does not change; first, as B needs longest for it.
        var disk = new Background(diskTask);
        // Nor does the memory of a stopped process: it need not wait for the NIC.
        var memory = new Background(memoryTask);
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
            complete(attempt.dumped(), start, stopped);
            return;
          }
        } finally {
          stop.callOff();
          attempt.callOff();
          // What is undone after a failure is not to be in use.
          memory.settle();
          disk.settle();
        }
        watch.rest();
      }
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
          refresh();
        }
      } else {
        anew(obstacle.get());
        looks = 0;
      }
    }
  }

  private void refresh() throws IOException, InterruptedException {
    try {
      var _ = copied.copies().refresh();
    } catch (BrokerException e) {
      throw failed(e);
    }
  }

  private static IOException failed(BrokerException e) {
    return new IOException(e.failure().what() + ": " + e.failure().why(), e);
  }

  private void anew(Change change) throws IOException, InterruptedException {
    try {
      copied.copies().anew(change);
    } catch (BrokerException e) {
      throw failed(e);
    }
  }

  private void complete(List<Integer> dumped, long start, long stopped) throws IOException {
    copied
        .booted()
        .peer()
        .send(FrameType.IMAGE_COMPLETE, completion(copied, dumped, start, stopped, Tsc.read()));
  }

  /** What IMAGE_COMPLETE says. */
  static Map<String, Object> completion(
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
}
