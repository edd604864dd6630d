package io.twinkernel.broker.process;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One of CRIU's image files: two magic numbers that say what it is, then entries, each after its
 * size (criu/image.c, criu/protobuf.c).
 *
 * @param header the magic numbers
 * @param entries messages whose type depends on the image
 */
record CriuImage(long header, List<ProtobufMessage> entries) {
  CriuImage {
    entries = List.copyOf(entries);
  }

  /**
   * @throws ProtocolException if it is cut off or holds no such entries
   */
  static CriuImage read(Path image) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image)).order(ByteOrder.LITTLE_ENDIAN);
    var entries = new ArrayList<ProtobufMessage>();
    try {
      if (bytes.remaining() < Long.BYTES) {
        throw new ProtocolException("it has " + bytes.capacity() + " bytes");
      }
      long header = bytes.getLong();
      while (bytes.hasRemaining()) {
        int size = bytes.remaining() < Integer.BYTES ? -1 : bytes.getInt();
        if (size < 0 || size > bytes.remaining()) {
          throw new ProtocolException("entry " + entries.size() + " is cut off");
        }
        byte[] entry = new byte[size];
        bytes.get(entry);
        entries.add(ProtobufMessage.parse(entry));
      }
      return new CriuImage(header, entries);
    } catch (ProtocolException e) {
      throw new ProtocolException(image.getFileName() + ": " + e.getMessage());
    }
  }

  /** The entry of an image that has one. */
  ProtobufMessage only() throws ProtocolException {
    if (entries.size() != 1) {
      throw new ProtocolException("an image has " + entries.size() + " entries instead of one");
    }
    return entries.getFirst();
  }

  /** An image of the same kind. */
  CriuImage with(List<ProtobufMessage> others) {
    return new CriuImage(header, others);
  }

  /** Writes it, in the place of what is there. */
  void write(Path image) throws IOException {
    var encoded = new ArrayList<byte[]>();
    int size = Long.BYTES;
    for (ProtobufMessage entry : entries) {
      encoded.add(entry.toByteArray());
      size += Integer.BYTES + encoded.getLast().length;
    }
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).putLong(header);
    encoded.forEach(entry -> out.putInt(entry.length).put(entry));
    Files.write(image, out.array());
  }
}
