package io.twinkernel.broker.net;

/** Text form of addresses. */
final class IpText {

  private static final int GROUPS = 8;

  private IpText() {}

  static String format(IpAddress address) {
    StringBuilder text = new StringBuilder(40);
    if (!address.wide()) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        text.append((address.low() >>> shift) & 0xff).append(shift == 0 ? "" : ".");
      }
      return text.toString();
    }
    // The first longest run of two or more zero groups becomes "::".
    int zeroesAt = -1;
    int zeroes = 1;
    for (int i = 0; i < GROUPS; i++) {
      int run = 0;
      while (i + run < GROUPS && group(address, i + run) == 0) {
        run++;
      }
      if (run > zeroes) {
        zeroes = run;
        zeroesAt = i;
      }
    }
    for (int i = 0; i < GROUPS; i++) {
      if (i == zeroesAt) {
        text.append("::");
        i += zeroes - 1;
        continue;
      }
      if (i > 0 && i != zeroesAt + zeroes) {
        text.append(':');
      }
      text.append(Integer.toHexString(group(address, i)));
    }
    return text.toString();
  }

  static IpAddress parseNarrow(String text) {
    long value = 0;
    int from = 0;
    for (int part = 0; part < 4; part++) {
      int to = part < 3 ? text.indexOf('.', from) : text.length();
      value = (value << 8) | number(text, from, to, 10, 3, 255);
      from = to + 1;
    }
    return new IpAddress(false, 0, value);
  }

  static IpAddress parseWide(String text) {
    int gap = text.indexOf("::");
    int[] groups = new int[GROUPS];
    if (gap < 0) {
      require(groups(text, 0, text.length(), groups, 0) == GROUPS, text);
    } else {
      int before = groups(text, 0, gap, groups, 0);
      int[] after = new int[GROUPS];
      int count = groups(text, gap + 2, text.length(), after, 0);
      require(before + count < GROUPS, text);
      System.arraycopy(after, 0, groups, GROUPS - count, count);
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = (high << 16) | groups[i];
      low = (low << 16) | groups[i + 4];
    }
    return new IpAddress(true, high, low);
  }

  private static int groups(String text, int from, int to, int[] into, int count) {
    int at = from;
    int found = count;
    while (at < to) {
      int colon = text.indexOf(':', at);
      int end = colon < 0 || colon > to ? to : colon;
      require(found < GROUPS && (end == to || end + 1 < to), text);
      into[found++] = (int) number(text, at, end, 16, 4, 0xffff);
      at = end + 1;
    }
    return found;
  }

  private static long number(String text, int from, int to, int radix, int digits, int largest) {
    require(to > from && to - from <= digits && text.charAt(from) != '+', text);
    require(text.charAt(from) != '-', text);
    int value;
    try {
      value = Integer.parseInt(text, from, to, radix);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not an IP address", e);
    }
    require(value <= largest, text);
    return value;
  }

  private static int group(IpAddress address, int index) {
    long half = index < 4 ? address.high() : address.low();
    return (int) (half >>> (48 - 16 * (index & 3))) & 0xffff;
  }

  private static void require(boolean valid, String text) {
    if (!valid) {
      throw new IllegalArgumentException("'" + text + "' is not an IP address");
    }
  }
}
