package io.twinkernel.harness.client;

import java.time.Duration;

/**
 * What the outside client does to the service.
 *
 * @param connections that it holds, and writes and reads on
 * @param pause between two requests on one of them, and two visits
 * @param rewrites values of the dataset that one connection more writes anew each second; 0: none
 * @param visitors clients that connect anew for each request
 * @param growth MiB that one connection more adds each second; 0: none
 */
public record Load(int connections, Duration pause, int rewrites, int visitors, double growth) {

  /** Connections alone. */
  public static Load of(int connections, Duration pause) {
    return new Load(connections, pause, 0, 0, 0);
  }
}
