package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The count of an eventfd, as its fdinfo tells it in hexadecimal (fs/eventfd.c). */
final class EventCounter {
  private static final Pattern COUNT =
      Pattern.compile("^eventfd-count:\\s*(\\p{XDigit}+)", Pattern.MULTILINE);

  private static final int HEX = 16;

  private EventCounter() {}

  /**
   * @param info its fdinfo
   */
  static long parse(String info) throws IOException {
    Matcher count = COUNT.matcher(info);
    if (!count.find()) {
      throw new IOException("no count of an eventfd: " + info);
    }
    return Long.parseUnsignedLong(count.group(1), HEX);
  }

  /** Makes it count so much; nobody else reads or writes it meanwhile. */
  static void set(Fd eventfd, long wanted) throws IOException {
    String info = "/proc/self/fdinfo/" + eventfd.number();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      long count = parse(SysFiles.read(info));
      // A read takes all, or one: of which kind it is not every kernel tells.
      while (Long.compareUnsigned(count, wanted) > 0) {
        var _ = eventfd.read(value);
        count = parse(SysFiles.read(info));
      }
      if (count != wanted) {
        value.set(ValueLayout.JAVA_LONG, 0, wanted - count);
        var _ = eventfd.write(value);
      }
    }
  }
}
