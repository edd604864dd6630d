package io.twinkernel.broker.acpi;

/**
 * Address space descriptors of a bus that passes them on (ACPI 6.5 6.4.3.5): fixed ranges, decoded
 * positively.
 */
final class ResourceTemplate {

  private static final int WORD = 0x88;
  private static final int DWORD = 0x87;
  private static final int QWORD = 0x8a;

  private static final int MEMORY = 0;
  private static final int IO = 1;
  private static final int BUS_NUMBER = 2;

  /** ResourceProducer, PosDecode, MinFixed, MaxFixed. */
  private static final int FIXED_PRODUCER = 0x0c;

  private static final int READ_WRITE = 0x01;
  private static final int PREFETCHABLE = 0x06;
  private static final int ENTIRE_RANGE = 0x03;

  private ResourceTemplate() {}

  /** The resources of a host bridge: its buses and its windows, with the end tag. */
  static byte[] of(HostBridge bridge) {
    byte[] all = descriptor(WORD, BUS_NUMBER, 0, bridge.startBus(), bridge.endBus());
    for (Window window : bridge.windows()) {
      all = Aml.join(all, of(window));
    }
    // End tag; a checksum of 0 means that it is not used (6.4.2.9).
    return Aml.join(all, new byte[] {0x79, 0});
  }

  private static byte[] of(Window window) {
    return switch (window.kind()) {
      case IO -> descriptor(WORD, IO, ENTIRE_RANGE, window.start(), window.end());
      case MEM ->
          descriptor(
              window.wide() ? QWORD : DWORD,
              MEMORY,
              READ_WRITE | (window.prefetchable() ? PREFETCHABLE : 0),
              window.start(),
              window.end());
    };
  }

  private static byte[] descriptor(int tag, int type, int typeFlags, long min, long max) {
    int width = tag == WORD ? 2 : tag == DWORD ? 4 : 8;
    int length = 3 + 5 * width;
    Bytes out = new Bytes(3 + length);
    out.u8(tag).u16(length).u8(type).u8(FIXED_PRODUCER).u8(typeFlags);
    for (long value : new long[] {0, min, max, 0, max - min + 1}) {
      out.number(value, width); // granularity, minimum, maximum, translation, length
    }
    return out.filled();
  }
}
