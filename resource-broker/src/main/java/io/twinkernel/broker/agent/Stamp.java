package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Tsc;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The payload of a message in the gap that says only when it was sent: eight bytes, of the TSC. */
final class Stamp {
  private Stamp() {}

  static byte[] now() {
    return ByteBuffer.allocate(Long.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(Tsc.read())
        .array();
  }

  static long of(byte[] payload) throws ProtocolException {
    if (payload.length != Long.BYTES) {
      throw new ProtocolException("a time of " + payload.length + " bytes");
    }
    return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
