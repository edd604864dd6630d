package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Lets go of the NIC, which takes longer than all else that A does in the gap, beside it. B hears
 * of it once the processes are sure to go.
 */
final class NicRelease {
  private final CompletableFuture<Boolean> linkDown = new CompletableFuture<>();
  private final CompletableFuture<Boolean> decision = new CompletableFuture<>();
  private final Background release;

  /**
   * Starts; the processes are stopped.
   *
   * @param gap receives what takes the NIC back
   */
  NicRelease(ServiceNic nic, Peer peer, Undo gap, Trace trace) {
    release =
        new Background(
            "nic-release",
            () -> {
              try {
                release(nic, peer, gap, trace);
              } finally {
                linkDown.complete(false);
              }
            });
  }

  private void release(ServiceNic nic, Peer peer, Undo gap, Trace trace) throws IOException {
    long from = Tsc.read();
    nic.down(gap);
    from = trace.add("link-down", from);
    linkDown.complete(true);
    nic.release();
    trace.add("nic-release", from);
    if (get(decision)) {
      peer.send(FrameType.NIC_RELEASED, Map.of("sent_tsc", Tsc.read()));
    }
  }

  /** Waits until no packet comes in or goes out any more. */
  void awaitLinkDown() throws IOException, InterruptedException {
    if (!get(linkDown)) {
      join();
    }
  }

  /** The processes go: B may have the NIC. */
  void give() {
    decision.complete(true);
  }

  /** They stay; returns when the NIC can be taken back. */
  void keep() throws IOException, InterruptedException {
    decision.complete(false);
    join();
  }

  /** Waits until it is done. */
  void join() throws IOException, InterruptedException {
    release.join();
  }

  private static boolean get(CompletableFuture<Boolean> future) throws IOException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
