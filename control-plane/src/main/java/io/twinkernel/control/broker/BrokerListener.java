package io.twinkernel.control.broker;

import io.twinkernel.control.engine.Conductor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import java.nio.charset.StandardCharsets;

/**
 * Where brokers dial in: TCP, one JSON object a line, UTF-8, at most 1 MiB a line.
 *
 * <pre>
 *   broker                             control plane
 *     │ hello (protocol, node, token) ──▶ │
 *     │ ◀── welcome, or refused and close │
 *     │ ◀──────────────── command (number)│
 *     │ event … ────────────────────────▶ │
 *     │ reply (number) ─────────────────▶ │
 * </pre>
 */
public final class BrokerListener {
  private final NetServer server;

  private BrokerListener(NetServer server) {
    this.server = server;
  }

  /**
   * Listens.
   *
   * @param port 0 for any
   * @param token what brokers have to show
   */
  public static Future<BrokerListener> listen(
      Vertx vertx, String host, int port, String token, Conductor conductor) {
    byte[] secret = token.getBytes(StandardCharsets.UTF_8);
    var options = new NetServerOptions().setTcpKeepAlive(true).setTcpNoDelay(true);
    NetServer server =
        vertx
            .createNetServer(options)
            .connectHandler(socket -> BrokerConnection.serve(vertx, socket, secret, conductor));
    return server.listen(port, host).map(BrokerListener::new);
  }

  /** The port, also if any was asked for. */
  public int port() {
    return server.actualPort();
  }
}
