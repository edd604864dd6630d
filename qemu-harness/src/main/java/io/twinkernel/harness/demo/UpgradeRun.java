package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.control.UpgradeFollower;
import io.twinkernel.harness.qemu.Machine;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One upgrade, asked of the control plane and followed to its end. */
final class UpgradeRun {

  private static final Duration UNTIL_BOTH_RUN = Duration.ofMinutes(12);
  private static final Duration UNTIL_THE_END = Duration.ofMinutes(12);
  private static final Set<String> FINAL =
      Set.of("COMPLETE", "ROLLED_BACK", "REHEARSED", "REFUSED", "FAILED");

  private final Machine machine;
  private final RestClient rest;
  private final int bridgePort;
  private final Narrator narrator;
  private List<UpgradeEvent> events = List.of();
  private String state = "";
  private String failure = "";

  /** What is done while both kernels run. */
  @FunctionalInterface
  interface WhileBothRun {
    void act() throws HarnessException, IOException;
  }

  UpgradeRun(Machine machine, RestClient rest, int bridgePort, Narrator narrator) {
    this.machine = machine;
    this.rest = rest;
    this.bridgePort = bridgePort;
    this.narrator = narrator;
  }

  /**
   * Returns when it has ended, however that was.
   *
   * @param request as REST takes it, to stop after {@code boot}
   */
  void run(Map<String, ?> request, WhileBothRun whileBothRun) throws HarnessException, IOException {
    run(request, whileBothRun, rest::goOn);
  }

  /** The same, but B is stopped and A serves on. */
  void runAndRollBack(Map<String, ?> request) throws HarnessException, IOException {
    run(request, () -> {}, rest::rollBack);
  }

  /** What the control plane is told when both kernels run. */
  @FunctionalInterface
  private interface Then {
    void with(String id) throws HarnessException;
  }

  private void run(Map<String, ?> request, WhileBothRun whileBothRun, Then then)
      throws HarnessException, IOException {
    try (UpgradeFollower follower = new UpgradeFollower(rest, bridgePort, narrator::event)) {
      var _ =
          machine
              .onExit()
              .thenRun(
                  () ->
                      follower.abort(
                          new HarnessException.Machine("QEMU has ended. " + machine.said())));
      String id = rest.start(request);
      follower.follow(id);
      try {
        UpgradeEvent booted =
            follower.await(
                "both kernels to run",
                event -> event.is("boot", "done") || isEnd(event),
                UNTIL_BOTH_RUN);
        if (booted.is("boot", "done")) {
          whileBothRun.act();
          then.with(id);
        }
        follower.await("the end of the upgrade", UpgradeRun::isEnd, UNTIL_THE_END);
      } finally {
        events = follower.events();
        JsonNode upgrade = rest.upgrade(id);
        state = upgrade.path("state").asText();
        failure = upgrade.has("failure") ? upgrade.path("failure").toString() : "";
      }
    }
  }

  /** An event after which nothing more comes. */
  private static boolean isEnd(UpgradeEvent event) {
    return FINAL.contains(event.state());
  }

  List<UpgradeEvent> events() {
    return events;
  }

  /** The control plane's state in the end. */
  String state() {
    return state;
  }

  /** What failed, as the control plane says it; empty if nothing did. */
  String failure() {
    return failure;
  }
}
