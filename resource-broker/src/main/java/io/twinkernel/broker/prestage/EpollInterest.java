package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an epoll waits for on one descriptor, as its fdinfo tells it (ep_show_fdinfo(),
 * fs/eventpoll.c).
 *
 * @param descriptor by which it was added
 * @param events EPOLL*, 32 bits
 * @param data what the process gets with an event
 * @param inode of the file that it is about, which may have another descriptor by now
 */
record EpollInterest(int descriptor, int events, long data, long inode) {
  private static final int HEX = 16;

  private static final Pattern LINE =
      Pattern.compile(
          "^tfd:\\s*(\\d+) events:\\s*(\\p{XDigit}+) data:\\s*(\\p{XDigit}+)\\s+pos:\\S+"
              + " ino:(\\p{XDigit}+)",
          Pattern.MULTILINE);

  private static final Pattern SOCKET = Pattern.compile("socket:\\[(\\d+)\\]");

  /** All that an fdinfo tells of. */
  static List<EpollInterest> parse(String info) {
    var found = new ArrayList<EpollInterest>();
    Matcher lines = LINE.matcher(info);
    while (lines.find()) {
      found.add(
          new EpollInterest(
              Integer.parseInt(lines.group(1)),
              Integer.parseUnsignedInt(lines.group(2), HEX),
              Long.parseUnsignedLong(lines.group(3), HEX),
              Long.parseUnsignedLong(lines.group(4), HEX)));
    }
    return List.copyOf(found);
  }

  /**
   * Whether each is about the descriptor by which it was added.
   *
   * @param targets what the process's descriptors are
   * @throws Unstageable if one waits for what has no descriptor any more, or another one
   */
  static void check(int epoll, List<EpollInterest> interests, Map<Integer, String> targets)
      throws IOException {
    var seen = new HashSet<Integer>();
    for (EpollInterest interest : interests) {
      int descriptor = interest.descriptor();
      String target = targets.get(descriptor);
      if (target == null || !interest.mayBe(target) || !seen.add(descriptor)) {
        throw new Unstageable(
            "epoll " + epoll + " waits for what was descriptor " + descriptor + " and is not now");
      }
    }
  }

  private boolean mayBe(String target) {
    Matcher socket = SOCKET.matcher(target);
    return !socket.matches() || Long.parseLong(socket.group(1)) == inode;
  }

  /** The wish alone, as two kernels may have it. */
  EpollInterest plain() {
    return new EpollInterest(descriptor, events, data, 0);
  }
}
