package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;

/** Fields of {@code /proc/PID/stat}, proc_pid_stat(5), counted from the one after the name. */
final class ThreadStat {
  private static final int FIRST = 3;

  static final int GROUP = 5 - FIRST;
  static final int SESSION = 6 - FIRST;
  static final int NICE = 19 - FIRST;
  static final int PRIORITY = 40 - FIRST;
  static final int POLICY = 41 - FIRST;
  static final int START_OF_HEAP = 47 - FIRST;

  private ThreadStat() {}

  /** Those of a process or thread; a name may have spaces and parentheses in it. */
  static String[] fields(String file) throws IOException {
    String stat = SysFiles.read(file);
    String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
    if (fields.length <= START_OF_HEAP) {
      throw new IOException(file + " has " + fields.length + " fields after the name");
    }
    return fields;
  }
}
