package io.twinkernel.harness.demo;

import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.net.Namespace;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A control plane in this process, for the machine of one run. It is only started and stopped here;
 * everything else goes over its interfaces, as for any client.
 */
final class ControlServer implements AutoCloseable {

  /** Where brokers dial in, at the host's end of the tap. */
  static final int BROKER_PORT = 7441;

  private static final int REST_PORT = 7440;
  private static final int BRIDGE_PORT = 7442;

  private final ControlPlane plane;

  private ControlServer(ControlPlane plane) {
    this.plane = plane;
  }

  /**
   * Starts one in the current network namespace.
   *
   * @param journals the folder of its journals
   * @param token what brokers have to show
   */
  static ControlServer start(Path journals, String token) throws HarnessException {
    try {
      return new ControlServer(
          ControlPlane.start(
              ControlPlaneConfig.local(journals, token)
                  .withBrokerHost(Namespace.HOST)
                  .withPorts(REST_PORT, BROKER_PORT, BRIDGE_PORT)));
    } catch (IOException failure) {
      throw new HarnessException.Control(
          "the control plane did not start: " + failure.getMessage(), failure);
    }
  }

  int restPort() {
    return plane.restPort();
  }

  int bridgePort() {
    return plane.bridgePort();
  }

  @Override
  public void close() throws IOException {
    plane.close();
  }
}
