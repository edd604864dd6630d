package io.twinkernel.control.engine;

import io.twinkernel.control.engine.RefusedException.Kind;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.Verb;

/** All that the control plane refuses, in words. */
final class Refusals {
  private Refusals() {}

  static RefusedException nodeUnknown(String node) {
    return new RefusedException(
        Kind.UNKNOWN,
        "node-unknown",
        "upgrading node '" + node + "'",
        "no broker of that name has dialled in",
        "see GET /api/v1/nodes for those that have; check 'node', 'control.host' and"
            + " 'control.token' in the node's /etc/twin/node.conf");
  }

  static RefusedException nodeAway(String node) {
    return new RefusedException(
        Kind.CONFLICT,
        "node-away",
        "upgrading node '" + node + "'",
        "its broker is not connected",
        "it dials in by itself; read the node's console if it does not");
  }

  static RefusedException underWay(Upgrade upgrade) {
    return new RefusedException(
        Kind.CONFLICT,
        "upgrade-under-way",
        "upgrading node '" + upgrade.request().node() + "'",
        "upgrade " + upgrade.id() + " is under way on it",
        "wait for it, or roll it back");
  }

  static RefusedException upgradeUnknown(String id) {
    return new RefusedException(
        Kind.UNKNOWN,
        "upgrade-unknown",
        "upgrade '" + id + "'",
        "there is none of that id",
        "see GET /api/v1/upgrades for those there are");
  }

  static RefusedException tooLate(Upgrade upgrade) {
    return new RefusedException(
        Kind.CONFLICT,
        upgrade.state().terminal() ? "finished" : "committed",
        "rolling back upgrade " + upgrade.id(),
        "it is " + upgrade.state() + ": " + upgrade.state().meaning(),
        "to go back to the former kernel, upgrade to it");
  }

  static RefusedException notWaiting(Upgrade upgrade) {
    return new RefusedException(
        Kind.CONFLICT,
        "not-waiting",
        "continuing upgrade " + upgrade.id(),
        "it is " + upgrade.state() + " and does not wait",
        "post an upgrade with 'until' to make it wait after a phase");
  }

  static RefusedException untilPassed(Upgrade upgrade, Verb until) {
    return new RefusedException(
        Kind.INVALID,
        "until-passed",
        "continuing upgrade " + upgrade.id() + " until " + until.word(),
        "that phase is done already",
        "give a later one or none");
  }

  static RefusedException stopping() {
    return new RefusedException(
        Kind.UNABLE, "stopping", "the request", "the control plane is stopping", "start it again");
  }
}
