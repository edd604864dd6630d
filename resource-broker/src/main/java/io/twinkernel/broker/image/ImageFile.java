package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads a file here and there, through one buffer; numbers are little endian. */
final class ImageFile implements AutoCloseable {

  private static final int BUFFER = 64 << 10;

  private final FileChannel channel;
  private final long size;
  private final byte[] bytes = new byte[BUFFER];
  private long bufferAt;
  private int buffered;

  ImageFile(Path path) throws IOException {
    channel = FileChannel.open(path, StandardOpenOption.READ);
    size = channel.size();
  }

  long size() {
    return size;
  }

  /** An unsigned byte; {@link EOFException} beyond the end. */
  int u8(long at) throws IOException {
    if (at < bufferAt || at >= bufferAt + buffered) {
      fill(at);
    }
    return bytes[(int) (at - bufferAt)] & 0xff;
  }

  int u16(long at) throws IOException {
    return u8(at) | (u8(at + 1) << 8);
  }

  long u32(long at) throws IOException {
    return u16(at) | ((long) u16(at + 2) << 16);
  }

  /** Text up to a zero byte or {@code longest} characters. */
  String text(long at, int longest) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < longest && at + i < size; i++) {
      int character = u8(at + i);
      if (character == 0) {
        break;
      }
      text.append((char) character);
    }
    return text.toString();
  }

  /** Whether these bytes lie there. */
  boolean has(long at, int... expected) throws IOException {
    if (at + expected.length > size) {
      return false;
    }
    for (int i = 0; i < expected.length; i++) {
      if (u8(at + i) != expected[i]) {
        return false;
      }
    }
    return true;
  }

  /** Up to {@code into.length} bytes; how many there were, 0 at the end. */
  int read(long at, byte[] into) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(into);
    long from = at;
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer, from);
      if (count < 0) {
        break;
      }
      from += count;
    }
    return buffer.position();
  }

  private void fill(long at) throws IOException {
    buffered = read(at, bytes);
    bufferAt = at;
    if (buffered == 0) {
      throw new EOFException("byte " + at + " of " + size);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
