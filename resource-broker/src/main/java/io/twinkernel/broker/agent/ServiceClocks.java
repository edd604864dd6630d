package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.ClockOffsets;
import io.twinkernel.broker.process.CriuClocks;
import io.twinkernel.broker.process.TimeNamespace;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/**
 * CLOCK_MONOTONIC and CLOCK_BOOTTIME of the processes that move: this kernel's, or, if they came
 * from another one, those of the time namespace in which they have gone on since.
 *
 * @param namespace by the kernel's name for it
 * @param criu for a CRIU that has them
 * @param ahead what they are ahead of this kernel's
 */
record ServiceClocks(String namespace, CriuClocks criu, ClockOffsets ahead) {

  /** Of a service; this kernel's if its processes do not all have the same. */
  static ServiceClocks of(Service service) throws IOException {
    String own = TimeNamespace.name((int) ProcessHandle.current().pid());
    var found = new TreeMap<String, Integer>();
    for (int root : service.roots()) {
      found.put(TimeNamespace.name(root), root);
    }
    if (found.size() != 1 || found.containsKey(own)) {
      return new ServiceClocks(own, new CriuClocks.Kernel(), new ClockOffsets(0, 0));
    }
    int pid = found.firstEntry().getValue();
    return new ServiceClocks(found.firstKey(), new CriuClocks.Of(pid), TimeNamespace.of(pid));
  }

  /**
   * What they say now, for {@link ClockSteering} in the other kernel: its copies go on from there.
   */
  Map<String, Object> reading() throws IOException {
    return ClockReading.now().ahead(ahead).toJson();
  }

  /** Starts a process that has them. */
  Process start(ProcessBuilder builder) throws IOException {
    return criu instanceof CriuClocks.Of(int pid)
        ? TimeNamespace.startIn(builder, pid)
        : builder.start();
  }

  /**
   * @throws Unstageable if a process has others: its copy would go on with the wrong ones
   */
  void require(int pid) throws IOException {
    if (!TimeNamespace.name(pid).equals(namespace)) {
      throw new Unstageable("process " + pid + " has other clocks (a time namespace) than CRIU");
    }
  }
}
