package io.twinkernel.broker.prestage;

import java.util.ArrayList;
import java.util.List;

/**
 * What has been read of a trace.
 *
 * @param calls those of each CPU in their order
 * @param births likewise
 */
record Traced(List<SystemCall> calls, List<Birth> births) {
  /** Nothing yet. */
  static Traced none() {
    return new Traced(new ArrayList<>(), new ArrayList<>());
  }
}
