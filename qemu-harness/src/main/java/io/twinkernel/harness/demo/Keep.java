package io.twinkernel.harness.demo;

import io.twinkernel.harness.qemu.Machine;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** Leaves the machine up until its user has had enough. */
final class Keep {

  private Keep() {}

  /** Waits for Enter, or for QEMU's end; a signal ends the process. */
  static void until(Machine machine, Narrator narrator) throws InterruptedException {
    narrator.plain(
        """

        The machine is up. From another terminal:
          ./twin console a     kernel A's console
          ./twin console b     kernel B's console (Ctrl-] detaches)
        Enter or Ctrl-C here ends it.""");
    CompletableFuture<Boolean> enough = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("keyboard")
        .start(
            () -> {
              try {
                // No keyboard is no wish to end it.
                if (System.in.read() >= 0) {
                  enough.complete(true);
                }
              } catch (IOException noKeyboard) {
                // Then only a signal ends it.
              }
            });
    var _ = machine.onExit().thenRun(() -> enough.complete(false));
    if (!enough.join()) {
      narrator.plain("QEMU has ended. " + machine.said());
    }
  }
}
