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
import java.io.IOException;
import java.util.List;

/** Runs what a broker runs, as far as it goes without a second kernel, to train the AOT cache. */
final class Training {
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
    var message = new Fields(Json.parse("{\"bytes\":" + (tables.length + ssdt.length) + "}"));
    System.out.println(
        Uname.current().release()
            + ": "
            + message.number("bytes")
            + " bytes of tables, "
            + (Tsc.read() - start)
            + " ticks");
  }
}
