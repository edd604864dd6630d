package io.twinkernel.control.broker;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.twinkernel.control.engine.BrokerLink;
import io.twinkernel.control.engine.Conductor;
import io.twinkernel.control.json.Json;
import io.twinkernel.control.upgrade.Input;
import io.twinkernel.control.upgrade.Role;
import io.twinkernel.control.upgrade.UpgradeRequest;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetSocket;
import io.vertx.core.parsetools.RecordParser;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One broker's connection; used on its event loop only. */
final class BrokerConnection {
  private static final System.Logger LOG = System.getLogger("twinkernel.broker");
  private static final int PROTOCOL = 1;
  private static final int LONGEST_LINE = 1 << 20;
  private static final long HELLO_MILLIS = 30_000;

  private final NetSocket socket;
  private final byte[] token;
  private final Conductor conductor;
  private @Nullable Link link;
  private boolean over;

  private BrokerConnection(NetSocket socket, byte[] token, Conductor conductor) {
    this.socket = socket;
    this.token = token;
    this.conductor = conductor;
  }

  static void serve(Vertx vertx, NetSocket socket, byte[] token, Conductor conductor) {
    var connection = new BrokerConnection(socket, token, conductor);
    RecordParser lines =
        RecordParser.newDelimited("\n", connection::line).maxRecordSize(LONGEST_LINE);
    lines.exceptionHandler(
        _ -> connection.refuse("a line is longer than " + LONGEST_LINE + " bytes"));
    long timer =
        vertx.setTimer(
            HELLO_MILLIS,
            _ -> {
              if (connection.link == null) {
                connection.refuse("no hello came within " + HELLO_MILLIS / 1000 + " s");
              }
            });
    socket.handler(lines);
    socket.exceptionHandler(e -> LOG.log(System.Logger.Level.DEBUG, "a broker's connection", e));
    socket.closeHandler(
        _ -> {
          vertx.cancelTimer(timer);
          connection.closed();
        });
  }

  private void line(Buffer line) {
    if (over) {
      return;
    }
    BrokerMessage message;
    try {
      message = Json.TOLERANT.readValue(line.getBytes(), BrokerMessage.class);
    } catch (JsonProcessingException e) {
      malformed(Json.complaint(e), e);
      return;
    } catch (java.io.IOException e) {
      malformed("not UTF-8: " + e.getMessage(), e);
      return;
    }
    if (message == null) {
      refuse("a line is null");
      return;
    }
    Link peer = link;
    switch (message) {
      case BrokerMessage.Hello hello -> hello(hello);
      case BrokerMessage.Event event when peer != null ->
          conductor.said(peer, event.upgrade(), said(peer, event));
      case BrokerMessage.Reply reply when peer != null ->
          conductor.replied(
              peer, new Input.Replied(reply.command(), reply.detail(), reply.failure()));
      case BrokerMessage.Event _, BrokerMessage.Reply _ ->
          refuse("the first line has to be a hello");
    }
  }

  /**
   * A known broker that sends one bad message is kept: an event that is not understood must not end
   * an upgrade. What is no JSON at all, or comes from a stranger, ends the connection.
   */
  private void malformed(String why, Exception e) {
    LOG.log(System.Logger.Level.WARNING, peer() + ": a line is not understood: " + why);
    LOG.log(System.Logger.Level.DEBUG, "the line", e);
    boolean json = e instanceof com.fasterxml.jackson.databind.JsonMappingException;
    if (link == null || !json) {
      refuse(why);
    }
  }

  private void hello(BrokerMessage.Hello hello) {
    Link former = link;
    if (former != null && !former.node().equals(hello.node())) {
      refuse("a second hello, of another node");
    } else if (hello.protocol() != PROTOCOL) {
      refuse(
          "protocol "
              + hello.protocol()
              + " is not spoken here, only "
              + PROTOCOL
              + ": install broker and control plane of one release");
    } else if (!MessageDigest.isEqual(token, hello.token().getBytes(StandardCharsets.UTF_8))) {
      refuse("the token is wrong: check control.token in the node's configuration");
    } else if (!UpgradeRequest.isName(hello.node())) {
      refuse("'node' is not a name of letters, digits, '.', '_' and '-', at most 64");
    } else {
      var peer = new Link(socket, hello.node(), hello.role(), hello.kernel(), hello.tscKhz());
      link = peer;
      LOG.log(System.Logger.Level.INFO, "{0} from {1}", hello, socket.remoteAddress());
      var welcome = new LinkedHashMap<String, Object>();
      welcome.put("type", "welcome");
      welcome.put("protocol", PROTOCOL);
      peer.send(Json.write(welcome));
      if (former == null) {
        conductor.dialled(peer);
      } else {
        conductor.changed(former, peer);
      }
    }
  }

  private void refuse(String why) {
    if (!over) {
      over = true;
      LOG.log(System.Logger.Level.WARNING, "{0} is refused: {1}", peer(), why);
      socket.pause();
      socket
          .write(Json.write(Map.of("type", "refused", "why", why)) + "\n")
          .onComplete(_ -> socket.close());
    }
  }

  private void closed() {
    over = true;
    Link peer = link;
    if (peer != null) {
      LOG.log(System.Logger.Level.INFO, "{0} is gone", peer());
      conductor.lost(peer);
    }
  }

  private String peer() {
    Link peer = link;
    return peer == null
        ? "a stranger at " + socket.remoteAddress()
        : "the " + peer.role().word() + " of " + peer.node();
  }

  private static Input.Said said(Link peer, BrokerMessage.Event event) {
    return new Input.Said(
        peer.role(),
        event.kernel().isEmpty() ? peer.kernel() : event.kernel(),
        event.phase(),
        event.status(),
        event.tsc(),
        event.at(),
        event.message(),
        event.detail());
  }

  /** Equal only to itself: a broker that dials in again has another one. */
  private static final class Link implements BrokerLink {
    private final NetSocket socket;
    private final String node;
    private final Role role;
    private final String kernel;
    private final long tscKhz;

    Link(NetSocket socket, String node, Role role, String kernel, long tscKhz) {
      this.socket = socket;
      this.node = node;
      this.role = role;
      this.kernel = kernel;
      this.tscKhz = tscKhz;
    }

    @Override
    public String node() {
      return node;
    }

    @Override
    public Role role() {
      return role;
    }

    @Override
    public String kernel() {
      return kernel;
    }

    @Override
    public long tscKhz() {
      return tscKhz;
    }

    @Override
    public void send(String line) {
      socket
          .write(line + "\n")
          .onFailure(e -> LOG.log(System.Logger.Level.DEBUG, "a line is lost", e));
    }

    @Override
    public void close() {
      var _ = socket.close();
    }
  }
}
