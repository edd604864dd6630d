package io.twinkernel.control;

import io.twinkernel.control.engine.Deadlines;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a control plane is set up. Ports may be 0 for any; {@link ControlPlane} tells the real ones.
 *
 * @param host where REST and the event bus bridges listen
 * @param restPort HTTP: REST, and SockJS at /eventbus
 * @param bridgePort the event bus bridge over TCP
 * @param brokerHost where brokers dial in
 * @param brokerToken what brokers have to show
 * @param apiToken what clients of REST and bridges have to show; needed unless they are local
 * @param journals the folder of the journals; made if there is none
 */
public record ControlPlaneConfig(
    String host,
    int restPort,
    int bridgePort,
    String brokerHost,
    int brokerPort,
    String brokerToken,
    Optional<String> apiToken,
    Path journals,
    Deadlines deadlines) {
  private static final String LOOPBACK = "127.0.0.1";
  private static final int SHORTEST_TOKEN = 16;

  /**
   * @throws IllegalArgumentException if it would be unsafe or cannot work, saying what to do
   */
  public ControlPlaneConfig {
    requireToken("the brokers' token", brokerToken);
    apiToken.ifPresent(token -> requireToken("the clients' token", token));
    if (apiToken.isEmpty() && !isLoopback(host)) {
      throw new IllegalArgumentException(
          "REST on "
              + host
              + " can be reached from other machines: give a token for its clients, or listen on "
              + LOOPBACK);
    }
  }

  /** On this machine only, at the usual ports. */
  public static ControlPlaneConfig local(Path journals, String brokerToken) {
    return new ControlPlaneConfig(
        LOOPBACK,
        7440,
        7442,
        LOOPBACK,
        7441,
        brokerToken,
        Optional.empty(),
        journals,
        Deadlines.GENEROUS);
  }

  /** The same at other ports; 0 for any. */
  public ControlPlaneConfig withPorts(int rest, int broker, int bridge) {
    return new ControlPlaneConfig(
        host, rest, bridge, brokerHost, broker, brokerToken, apiToken, journals, deadlines);
  }

  /** The same with brokers dialling in at that address of this machine. */
  public ControlPlaneConfig withBrokerHost(String address) {
    return new ControlPlaneConfig(
        host,
        restPort,
        bridgePort,
        address,
        brokerPort,
        brokerToken,
        apiToken,
        journals,
        deadlines);
  }

  /** The same with REST and bridges at that address, for clients that show that token. */
  public ControlPlaneConfig withHost(String address, Optional<String> token) {
    return new ControlPlaneConfig(
        address,
        restPort,
        bridgePort,
        brokerHost,
        brokerPort,
        brokerToken,
        token,
        journals,
        deadlines);
  }

  /** The same with other deadlines. */
  public ControlPlaneConfig withDeadlines(Deadlines other) {
    return new ControlPlaneConfig(
        host, restPort, bridgePort, brokerHost, brokerPort, brokerToken, apiToken, journals, other);
  }

  private static void requireToken(String whose, String token) {
    if (token.length() < SHORTEST_TOKEN) {
      throw new IllegalArgumentException(
          whose
              + " has "
              + token.length()
              + " characters; it needs at least "
              + SHORTEST_TOKEN
              + ", from a random source");
    }
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("there is no address " + host, e);
    }
  }

  /** Tokens must not reach a log. */
  @Override
  public String toString() {
    return "REST "
        + host
        + ":"
        + restPort
        + ", event bus bridge "
        + host
        + ":"
        + bridgePort
        + ", brokers "
        + brokerHost
        + ":"
        + brokerPort
        + ", journals "
        + journals;
  }
}
