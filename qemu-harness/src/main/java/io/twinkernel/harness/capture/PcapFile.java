package io.twinkernel.harness.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A capture file in libpcap's format (pcap-savefile(5)), of Ethernet frames. A last record that is
 * cut short is left out: so a capture ends that was killed.
 */
final class PcapFile {

  private static final int MICROS = 0xa1b2c3d4;
  private static final int NANOS = 0xa1b23c4d;
  private static final int ETHERNET = 1;
  private static final int HEADER = 24;
  private static final int RECORD = 16;

  /** More than any frame that a tap passes on, offloaded segments included. */
  private static final int LONGEST = 1 << 18;

  private PcapFile() {}

  static List<Frame> read(Path file) throws IOException {
    try {
      return parse(ByteBuffer.wrap(Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new IOException(file + " cannot be read as a capture: " + e.getMessage(), e);
    }
  }

  static List<Frame> parse(ByteBuffer file) throws IOException {
    if (file.remaining() < HEADER) {
      throw new IOException("it has " + file.remaining() + " bytes, and its header " + HEADER);
    }
    ByteBuffer in = file.slice();
    int magic = in.order(ByteOrder.LITTLE_ENDIAN).getInt(0);
    if (magic != MICROS && magic != NANOS) {
      magic = in.order(ByteOrder.BIG_ENDIAN).getInt(0);
    }
    if (magic != MICROS && magic != NANOS) {
      throw new IOException("it begins with " + Integer.toHexString(magic));
    }
    int linkType = in.getInt(20) & 0xffff;
    if (linkType != ETHERNET) {
      throw new IOException("its link type is " + linkType + ", not Ethernet");
    }
    long unit = magic == NANOS ? 1 : 1000;
    List<Frame> frames = new ArrayList<>();
    in.position(HEADER);
    while (in.remaining() >= RECORD) {
      int at = in.position();
      long seconds = Integer.toUnsignedLong(in.getInt());
      long fraction = Integer.toUnsignedLong(in.getInt());
      int length = in.getInt();
      in.getInt(); // the frame's own length
      if (length < 0 || length > LONGEST) {
        throw new IOException("a record of " + length + " bytes at " + at);
      }
      if (length > in.remaining()) {
        break;
      }
      frames.add(
          new Frame(seconds * 1_000_000_000L + fraction * unit, in.slice(in.position(), length)));
      in.position(in.position() + length);
    }
    return List.copyOf(frames);
  }
}
