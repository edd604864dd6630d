package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What two threads look at and send side by side while the processes are stopped. */
final class Attempt {
  private static final Optional<Change> CALLED_OFF =
      Optional.of(new Change(0, "the switch was called off", false));

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
   * Looks at the one half of what may have changed, then sends the memory. If the copies cannot be
   * used for the other half's sake, they have got pages that they did not need.
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
        prestaging.sendShapes(trace.follow());
      }
    } finally {
      shaped.complete(true);
    }
    if (ready) {
      prestaging.sendPages(trace);
    }
  }

  /**
   * Looks at the other half, and lets B have the NIC if the copies can be used: B needs longest for
   * it, so this comes first. What arrives after the NIC is released waits in it, or is lost: all
   * that can be looked at before is.
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

  /** Nobody waits any more for what is found. */
  void callOff() {
    obstacle.complete(CALLED_OFF);
  }

  /** Roots of the trees of which no copies wait. */
  List<Integer> dumped() {
    return dumped;
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
