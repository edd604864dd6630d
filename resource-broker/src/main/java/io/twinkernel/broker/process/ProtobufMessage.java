package io.twinkernel.broker.process;

import java.io.ByteArrayOutputStream;
import java.net.ProtocolException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A protocol buffers message of which some fields are to be others; what is not known of it stays
 * as it is.
 */
final class ProtobufMessage {
  private record Part(int field, byte[] bytes) {}

  private final List<Part> parts = new ArrayList<>();

  private ProtobufMessage() {}

  static ProtobufMessage parse(byte[] bytes) throws ProtocolException {
    return parse(new ProtobufReader(bytes));
  }

  private static ProtobufMessage parse(ProtobufReader in) throws ProtocolException {
    var message = new ProtobufMessage();
    while (in.next()) {
      message.parts.add(new Part(in.field(), in.encoded()));
    }
    return message;
  }

  /** An empty one, to be filled. */
  static ProtobufMessage empty() {
    return new ProtobufMessage();
  }

  /** The last message in a field; empty if there is none. */
  Optional<ProtobufMessage> message(int field) throws ProtocolException {
    Optional<ProtobufReader> last = last(field);
    return last.isEmpty() ? Optional.empty() : Optional.of(parse(last.get().message()));
  }

  /** The last text in a field; empty if there is none. */
  String text(int field) throws ProtocolException {
    return last(field).map(ProtobufReader::text).orElse("");
  }

  /** The last number in a field; 0 if there is none. */
  long number(int field) throws ProtocolException {
    return last(field).map(ProtobufReader::number).orElse(0L);
  }

  private Optional<ProtobufReader> last(int field) throws ProtocolException {
    for (Part part : parts.reversed()) {
      if (part.field() == field) {
        var in = new ProtobufReader(part.bytes());
        in.next();
        return Optional.of(in);
      }
    }
    return Optional.empty();
  }

  /** Takes a field out. */
  ProtobufMessage without(int field) {
    parts.removeIf(part -> part.field() == field);
    return this;
  }

  ProtobufMessage number(int field, long value) {
    return with(field, new ProtobufWriter().number(field, value));
  }

  /** Of type sint32 or sint64. */
  ProtobufMessage signed(int field, long value) {
    return number(field, (value << 1) ^ (value >> (Long.SIZE - 1)));
  }

  ProtobufMessage text(int field, String value) {
    return with(field, new ProtobufWriter().text(field, value));
  }

  ProtobufMessage message(int field, ProtobufMessage value) {
    return with(field, new ProtobufWriter().bytes(field, value.toByteArray()));
  }

  /** One more of a repeated field, not packed. */
  ProtobufMessage add(int field, long value) {
    parts.add(new Part(field, new ProtobufWriter().number(field, value).toByteArray()));
    return this;
  }

  private ProtobufMessage with(int field, ProtobufWriter encoded) {
    without(field).parts.add(new Part(field, encoded.toByteArray()));
    return this;
  }

  byte[] toByteArray() {
    var out = new ByteArrayOutputStream();
    for (Part part : parts) {
      out.writeBytes(part.bytes());
    }
    return out.toByteArray();
  }
}
