package io.twinkernel.broker.plan;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether processes of this kernel can go on in the other one, as far as its version tells. */
final class KernelChecks {
  private static final Pattern NUMBERS = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");

  /** The first with SO_BUF_LOCK: CRIU keeps it of every socket, and sets it again. */
  private static final int WITH_BUFFER_LOCKS = version(5, 14);

  private KernelChecks() {}

  /**
   * @param from release of this kernel
   * @param to release of the other one
   */
  static void check(String from, String to, List<Refusal> refusals) {
    int other = version(to);
    if (version(from) >= WITH_BUFFER_LOCKS && other != 0 && other < WITH_BUFFER_LOCKS) {
      refusals.add(
          new Refusal(
              "kernel-too-old",
              "kernel " + to,
              "it does not know a setting that all sockets of kernel "
                  + from
                  + " have (SO_BUF_LOCK, from 5.14 on), and CRIU restores none without it",
              "go to 5.14 or later"));
    }
  }

  /** What the two numbers of a release amount to, in order; 0 if it does not begin with them. */
  private static int version(String release) {
    Matcher matcher = NUMBERS.matcher(release);
    return matcher.matches()
        ? version(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)))
        : 0;
  }

  private static int version(int major, int minor) {
    return major * 10_000 + minor;
  }
}
