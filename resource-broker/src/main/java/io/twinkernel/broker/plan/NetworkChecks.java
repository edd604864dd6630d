package io.twinkernel.broker.plan;

import java.util.ArrayList;
import java.util.List;

/** Whether the other kernel treats packets as this one does. */
public final class NetworkChecks {

  private NetworkChecks() {}

  /**
   * What would be lost.
   *
   * @param rules {@link io.twinkernel.broker.net.NetworkRules#read}
   * @param image whether the operator says that the other kernel's image has rules of its own
   */
  public static List<Refusal> refusals(List<String> rules, boolean image) {
    var refusals = new ArrayList<Refusal>();
    if (image) {
      return refusals;
    }
    for (String rule : rules) {
      refusals.add(
          new Refusal(
              "network-rules",
              rule,
              "it does not move: the service would be in the network without it",
              "have the other kernel's image set it up when it starts, and set network.rules=image"
                  + " in node.conf; or remove it"));
    }
    return List.copyOf(refusals);
  }
}
