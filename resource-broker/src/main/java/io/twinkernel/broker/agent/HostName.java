package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the machine is called, uname(2): as SETTINGS of {@link FrameType} carries it. */
final class HostName {
  private static final String FOLDER = "/proc/sys/kernel/";
  private static final List<String> NAMES = List.of("hostname", "domainname");

  private HostName() {}

  static Map<String, String> read() throws SyscallException {
    var names = new HashMap<String, String>();
    for (String name : NAMES) {
      names.put(name, SysFiles.read(FOLDER + name).strip());
    }
    return names;
  }

  /**
   * B: is called so, too.
   *
   * @return what failed; empty if all went well
   */
  static List<String> set(Fields names) throws MalformedMessageException {
    var failures = new ArrayList<String>();
    for (String name : NAMES) {
      try {
        SysFiles.write(FOLDER + name, names.text(name));
      } catch (SyscallException e) {
        failures.add(String.valueOf(e.getMessage()));
      }
    }
    return List.copyOf(failures);
  }
}
