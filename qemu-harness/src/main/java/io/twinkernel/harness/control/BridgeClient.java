package io.twinkernel.harness.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * The event bus over its TCP bridge: frames of four bytes of length and a JSON object (Vert.x TCP
 * EventBus bridge, "Protocol"). Follows one address and hands each message's body on.
 */
final class BridgeClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Socket socket;
  private final DataOutputStream out;

  /**
   * Connects, registers and starts to listen.
   *
   * @param ended told once, when the bridge is gone
   */
  BridgeClient(int port, String address, Consumer<JsonNode> body, Consumer<IOException> ended)
      throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    out = new DataOutputStream(socket.getOutputStream());
    send(JSON.createObjectNode().put("type", "register").put("address", address));
    // The answer to the ping says that the registration before it has been taken.
    send(JSON.createObjectNode().put("type", "ping"));
    DataInputStream in = new DataInputStream(socket.getInputStream());
    for (JsonNode frame = frame(in); !isPong(frame); frame = frame(in)) {
      if (frame.path("type").asText().equals("err")) {
        throw new IOException("the event bus bridge refused " + address + ": " + frame);
      }
    }
    Thread.ofVirtual().name("event-bus").start(() -> readAll(in, body, ended));
  }

  private static boolean isPong(JsonNode frame) {
    return frame.path("type").asText().equals("pong");
  }

  private static void readAll(
      DataInputStream in, Consumer<JsonNode> body, Consumer<IOException> ended) {
    try {
      while (true) {
        JsonNode frame = frame(in);
        if (frame.path("type").asText().equals("message")) {
          body.accept(frame.path("body"));
        }
      }
    } catch (IOException gone) {
      ended.accept(gone);
    }
  }

  private static JsonNode frame(DataInputStream in) throws IOException {
    byte[] frame = new byte[in.readInt()];
    in.readFully(frame);
    return JSON.readTree(frame);
  }

  private void send(ObjectNode message) throws IOException {
    byte[] bytes = message.toString().getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
