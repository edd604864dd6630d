package io.twinkernel.broker;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.TwinMachine;
import io.twinkernel.broker.acpi.Window;
import io.twinkernel.broker.agent.Rehearsal;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.Uname;
import java.io.File;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** Runs what a broker runs, as far as it goes without a second kernel, to train the AOT cache. */
final class Training {
  private static final String OURS = "io/twinkernel/";
  private static final String CLASS = ".class";

  private Training() {}

  static void run() throws IOException, InterruptedException {
    long start = Tsc.read();
    BootParameters.parse(
        "twin.role=secondary twin.shared_start=0x1000 twin.shared_size=0x2000 twin.cpus=3,2");
    HostBridge bridge =
        HostBridge.of(
            0x81,
            Window.memory(0xfe000000L, 0xfe1fffffL),
            Window.prefetchable(0xfe800000L, 0xfe9fffffL));
    var machine = new TwinMachine(0x30000000L, List.of(0, 3, 1, 2), 0xb0000000L, List.of(bridge));
    byte[] tables = AcpiTables.build(machine);
    byte[] ssdt = AcpiTables.ssdt(bridge, "TWINNIC");
    Rehearsal.link();
    Rehearsal.canary();
    Rehearsal.control();
    loadAll();
    var message = new Fields(Json.parse("{\"bytes\":" + (tables.length + ssdt.length) + "}"));
    System.out.println(
        Uname.current().release()
            + ": "
            + message.number("bytes")
            + " bytes of tables, "
            + (Tsc.read() - start)
            + " ticks");
  }

  /**
   * Has every class of ours be in the cache: the JVM has those from its start, and to load one in
   * the gap takes, emulated, two milliseconds.
   */
  private static void loadAll() throws IOException {
    for (String path : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (path.endsWith(".jar")) {
        try (var jar = new JarFile(path)) {
          for (JarEntry entry : Collections.list(jar.entries())) {
            String name = entry.getName();
            if (name.startsWith(OURS) && name.endsWith(CLASS)) {
              load(name.substring(0, name.length() - CLASS.length()).replace('/', '.'));
            }
          }
        }
      }
    }
    // Whoever waits for a future is one.
    load("java.util.concurrent.CompletableFuture$Signaller");
  }

  private static void load(String name) throws IOException {
    try {
      Class.forName(name, false, Training.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IOException("a class that is in a jar cannot be loaded: " + name, e);
    }
  }
}
