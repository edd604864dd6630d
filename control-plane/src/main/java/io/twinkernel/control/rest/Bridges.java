package io.twinkernel.control.rest;

import io.twinkernel.control.json.Json;
import io.twinkernel.control.upgrade.UpgradeEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.NetServerOptions;
import io.vertx.ext.bridge.BaseBridgeEvent;
import io.vertx.ext.bridge.BridgeOptions;
import io.vertx.ext.bridge.PermittedOptions;
import io.vertx.ext.eventbus.bridge.tcp.TcpEventBusBridge;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.sockjs.SockJSBridgeOptions;
import io.vertx.ext.web.handler.sockjs.SockJSHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.jspecify.annotations.Nullable;

/**
 * The event bus and its bridges to the outside: TCP (the Vert.x protocol: JSON in frames of a
 * 4-byte length) and SockJS. They only let events out, from addresses {@code twinkernel.*}; nobody
 * can send anything in. Where a token is needed, each {@code register} carries it in its headers,
 * as {@code Authorization: Bearer TOKEN}.
 */
public final class Bridges {
  /** Every event of every upgrade. */
  public static final String ALL = "twinkernel.events";

  private static final String PERMITTED = "twinkernel\\..+";
  private static final int TRIES = 20;

  /** A bridge over TCP, and the port on which it listens. */
  public record Tcp(TcpEventBusBridge bridge, int port) {}

  private Bridges() {}

  /** The address of one upgrade's events. */
  public static String address(String upgrade) {
    return "twinkernel.upgrades." + upgrade;
  }

  /** Puts an event on the bus. */
  public static void publish(Vertx vertx, UpgradeEvent event) {
    var json = new JsonObject(Json.toMap(event));
    vertx.eventBus().publish(address(event.upgrade()), json);
    vertx.eventBus().publish(ALL, json);
  }

  /** The bridge for browsers, to be mounted. */
  public static Router sockJs(Vertx vertx, Guard guard) {
    var options =
        new SockJSBridgeOptions()
            .addOutboundPermitted(new PermittedOptions().setAddressRegex(PERMITTED));
    return SockJSHandler.create(vertx).bridge(options, event -> judge(event, guard));
  }

  /**
   * The bridge for programs.
   *
   * @param port 0 for any
   */
  public static Future<Tcp> listen(Vertx vertx, String host, int port, Guard guard) {
    return port == 0
        ? listenAnywhere(vertx, host, guard, TRIES)
        : listenAt(vertx, host, port, guard);
  }

  private static Future<Tcp> listenAt(Vertx vertx, String host, int port, Guard guard) {
    var options =
        new BridgeOptions().addOutboundPermitted(new PermittedOptions().setAddressRegex(PERMITTED));
    return TcpEventBusBridge.create(
            vertx, options, new NetServerOptions(), event -> judge(event, guard))
        .listen(port, host)
        .map(bridge -> new Tcp(bridge, port));
  }

  /** Vert.x does not tell the port that the system chose: choose one and try. */
  private static Future<Tcp> listenAnywhere(Vertx vertx, String host, Guard guard, int tries) {
    return listenAt(vertx, host, freePort(host), guard)
        .recover(
            e ->
                e instanceof BindException && tries > 1
                    ? listenAnywhere(vertx, host, guard, tries - 1)
                    : Future.failedFuture(e));
  }

  private static int freePort(String host) {
    try (var socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no free port on " + host, e);
    }
  }

  private static void judge(BaseBridgeEvent event, Guard guard) {
    JsonObject message = event.getRawMessage();
    event.complete(
        switch (event.type()) {
          case REGISTER -> guard.admits(authorization(message));
          case SEND, PUBLISH -> false;
          default -> true;
        });
  }

  private static @Nullable String authorization(@Nullable JsonObject message) {
    if (message == null || !(message.getValue("headers") instanceof JsonObject headers)) {
      return null;
    }
    return headers.getValue("Authorization") instanceof String value ? value : null;
  }
}
