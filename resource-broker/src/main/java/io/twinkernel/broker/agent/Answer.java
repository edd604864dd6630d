package io.twinkernel.broker.agent;

import org.jspecify.annotations.Nullable;

/**
 * B's word on the switch.
 *
 * @param reason why it did not do what it was to do; empty if it did
 * @param rehearsed that it was a rehearsal, and how it went
 * @param devicesAreFree whether its drivers have left what A gave
 * @param isNone B has said nothing; it may be about to
 */
record Answer(
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
