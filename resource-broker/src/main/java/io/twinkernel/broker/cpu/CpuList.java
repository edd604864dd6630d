package io.twinkernel.broker.cpu;

import java.util.ArrayList;
import java.util.List;

/** CPU lists as sysfs writes them, "0-2,4". */
public final class CpuList {
  private CpuList() {}

  /**
   * The CPUs in a list.
   *
   * @throws IllegalArgumentException if the text is not a CPU list
   */
  public static List<Integer> parse(String text) {
    var cpus = new ArrayList<Integer>();
    int at = 0;
    String list = text.strip();
    while (at < list.length()) {
      int comma = list.indexOf(',', at);
      int end = comma < 0 ? list.length() : comma;
      int dash = list.indexOf('-', at);
      if (dash < 0 || dash > end) {
        cpus.add(number(list, at, end));
      } else {
        int last = number(list, dash + 1, end);
        for (int cpu = number(list, at, dash); cpu <= last; cpu++) {
          cpus.add(cpu);
        }
      }
      at = end + 1;
    }
    return List.copyOf(cpus);
  }

  private static int number(String list, int from, int to) {
    try {
      return Integer.parseInt(list, from, to, 10);
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("'" + list + "' is not a list of CPUs", e);
    }
  }
}
