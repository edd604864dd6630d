package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The broker of the other kernel: where to send to, and what it sent. */
record Peer(Link link, Inbox inbox) {

  void send(int type, Map<String, Object> json) throws IOException {
    link.send(type, Json.write(json).getBytes(StandardCharsets.UTF_8));
  }

  /** It is not there any more: nobody waits for it any longer. */
  void giveUp(LinkException.PeerGone reason) {
    link.giveUp(reason);
    inbox.end(reason);
  }
}
