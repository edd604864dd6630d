package io.twinkernel.broker.net;

import java.util.HexFormat;

/** Text form of link-layer addresses. */
final class MacAddress {

  private static final HexFormat COLONS = HexFormat.ofDelimiter(":");

  private MacAddress() {}

  static String format(byte[] address) {
    return COLONS.formatHex(address);
  }

  static byte[] parse(String text) {
    return COLONS.parseHex(text);
  }
}
