package io.twinkernel.broker.acpi;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Makes the ACPI tables of the second kernel.
 *
 * <p>They describe a hardware-reduced machine (ACPI 6.5 3.11.1): no PIT, PIC, PM timer or SCI,
 * since those belong to the first kernel. One host bridge stands for each delegated PCI bus. The
 * I/O APIC that is listed does not exist: its page reads all ones, whereupon the kernel skips it
 * ({@code bad_ioapic_register()} in arch/x86/kernel/apic/io_apic.c); with none listed, some kernels
 * search the firmware's MP table and reprogram the first kernel's.
 *
 * <p>The first CPU that is listed does not exist either. From Linux 6.9 on a kernel that is not
 * booted on the first one takes that for the machine's boot CPU and never uses it ({@code
 * check_for_real_bsp()} in arch/x86/kernel/cpu/topology.c); but it is to use the real one in the
 * end. Older kernels count a CPU that could be added.
 */
public final class AcpiTables {

  private static final int PAGE = 4096;
  private static final int TABLE_ALIGNMENT = 64;
  private static final int HEADER = 36;
  private static final int RSDP_LENGTH = 36;
  private static final int FADT_LENGTH = 276;

  private static final long LOCAL_APIC_ADDRESS = 0xfee0_0000L;

  /** Boot architecture flags (ACPI 6.5 table 5.10): no VGA, no CMOS RTC; and no legacy devices. */
  private static final int IAPC_BOOT_ARCH = 1 << 2 | 1 << 5;

  /**
   * Feature flags (ACPI 6.5 table 5.9): WBINVD, no fixed power or sleep button, a reset register,
   * physical APIC destinations, hardware-reduced. In logical mode the second kernel's logical APIC
   * ids would collide with the first's, and its interrupts arrive there.
   */
  private static final int FADT_FLAGS = 1 | 1 << 4 | 1 << 5 | 1 << 10 | 1 << 19 | 1 << 20;

  /** The chipset's reset control register; 0x0e asks for a full reset of the machine. */
  private static final int RESET_PORT = 0xcf9;

  private static final int RESET_VALUE = 0x0e;

  /** Local APIC flags (ACPI 6.5 table 5.22): the CPU is not there and could be added. */
  private static final int ONLINE_CAPABLE = 2;

  private AcpiTables() {}

  /**
   * The tables of a machine, to be written to {@code machine.tablesAddress()}.
   *
   * @return whole pages; the RSDP is at offset 0, and the last page is the I/O APIC's and must
   *     never be written
   */
  public static byte[] build(TwinMachine machine) {
    long base = machine.tablesAddress();
    byte[] dsdt = dsdt(machine.bridges());
    byte[] mcfg = mcfg(machine.ecamBase());
    int madtLength = madt(machine.apicIds(), 0).length;

    int xsdtAt = align(RSDP_LENGTH, TABLE_ALIGNMENT);
    int fadtAt = align(xsdtAt + HEADER + 3 * Long.BYTES, TABLE_ALIGNMENT);
    int madtAt = align(fadtAt + FADT_LENGTH, TABLE_ALIGNMENT);
    int mcfgAt = align(madtAt + madtLength, TABLE_ALIGNMENT);
    int dsdtAt = align(mcfgAt + mcfg.length, TABLE_ALIGNMENT);
    int ioApicAt = align(dsdtAt + dsdt.length, PAGE);

    byte[] blob = new byte[ioApicAt + PAGE];
    put(blob, 0, rsdp(base + xsdtAt));
    put(blob, xsdtAt, xsdt(base + fadtAt, base + madtAt, base + mcfgAt));
    put(blob, fadtAt, fadt(base + dsdtAt));
    put(blob, madtAt, madt(machine.apicIds(), base + ioApicAt));
    put(blob, mcfgAt, mcfg);
    put(blob, dsdtAt, dsdt);
    Arrays.fill(blob, ioApicAt, blob.length, (byte) 0xff);
    return blob;
  }

  /**
   * A table that adds one more host bridge to a running kernel.
   *
   * @param tableId OEM table id, at most eight ASCII characters; differs from one table to the next
   */
  public static byte[] ssdt(HostBridge bridge, String tableId) {
    return table("SSDT", 2, tableId, Aml.scope("_SB", device(bridge)));
  }

  private static byte[] dsdt(List<HostBridge> bridges) {
    byte[][] devices = new byte[bridges.size()][];
    for (int i = 0; i < devices.length; i++) {
      devices[i] = device(bridges.get(i));
    }
    return table("DSDT", 2, "TWINKRNL", Aml.scope("_SB", devices));
  }

  private static byte[] device(HostBridge bridge) {
    String hex = Integer.toHexString(0x1000 | bridge.startBus()).toUpperCase(Locale.ROOT);
    return Aml.device(
        "P" + hex.substring(1),
        Aml.name("_HID", Aml.eisaId("PNP0A08")),
        Aml.name("_CID", Aml.eisaId("PNP0A03")),
        Aml.name("_UID", Aml.integer(bridge.startBus())),
        Aml.name("_BBN", Aml.integer(bridge.startBus())),
        Aml.name("_SEG", Aml.integer(0)),
        Aml.name("_CRS", Aml.buffer(ResourceTemplate.of(bridge))));
  }

  private static byte[] rsdp(long xsdtAddress) {
    Bytes out = new Bytes(RSDP_LENGTH);
    out.text("RSD PTR ", 8).u8(0).text("TWIN", 6).u8(2).u32(0).u32(RSDP_LENGTH).u64(xsdtAddress);
    out.u32(0); // extended checksum, reserved
    byte[] rsdp = out.filled();
    rsdp[8] = checksum(rsdp, 20);
    rsdp[32] = checksum(rsdp, RSDP_LENGTH);
    return rsdp;
  }

  private static byte[] xsdt(long... tables) {
    Bytes body = new Bytes(tables.length * Long.BYTES);
    for (long address : tables) {
      body.u64(address);
    }
    return table("XSDT", 1, "TWINKRNL", body.filled());
  }

  private static byte[] fadt(long dsdtAddress) {
    Bytes body = new Bytes(FADT_LENGTH - HEADER);
    body.at(40 - HEADER).u32(dsdtAddress);
    body.at(109 - HEADER).u16(IAPC_BOOT_ARCH);
    body.at(112 - HEADER).u32(FADT_FLAGS);
    // RESET_REG, a generic address (5.2.3.2): I/O space, 8 bits from bit 0, byte access.
    body.u8(1).u8(8).u8(0).u8(1).u64(RESET_PORT).u8(RESET_VALUE);
    body.at(131 - HEADER).u8(5); // revision 6.5
    body.at(140 - HEADER).u64(dsdtAddress);
    body.at(FADT_LENGTH - HEADER).number(0, 0);
    return table("FACP", 6, "TWINKRNL", body.filled());
  }

  private static byte[] madt(List<Integer> apicIds, long ioApicAddress) {
    Bytes body = new Bytes(8 + 16 * (apicIds.size() + 1) + 12);
    body.u32(LOCAL_APIC_ADDRESS).u32(0); // flags: no 8259
    int localUid = 0;
    body.u8(0).u8(8).u8(localUid++).u8(nobodysId(apicIds)).u32(ONLINE_CAPABLE);
    int wideUid = 0x100; // a local APIC's processor id has one byte: keep them apart
    for (int id : apicIds) {
      if (id < 0xff) {
        body.u8(0).u8(8).u8(localUid++).u8(id).u32(1);
      } else {
        body.u8(9).u8(16).u16(0).u32(id).u32(1).u32(wideUid++);
      }
    }
    body.u8(1).u8(12).u8(0).u8(0).u32(ioApicAddress).u32(0);
    return table("APIC", 4, "TWINKRNL", body.filled());
  }

  /** The highest APIC id of eight bits that no CPU has. */
  private static int nobodysId(List<Integer> apicIds) {
    int id = 0xfe;
    while (apicIds.contains(id)) {
      id--;
    }
    return id;
  }

  private static byte[] mcfg(long ecamBase) {
    Bytes body = new Bytes(24);
    body.u64(0).u64(ecamBase).u16(0).u8(0).u8(255).u32(0);
    return table("MCFG", 1, "TWINKRNL", body.filled());
  }

  private static byte[] table(String signature, int revision, String tableId, byte[] body) {
    int length = HEADER + body.length;
    Bytes out = new Bytes(length);
    out.text(signature, 4).u32(length).u8(revision).u8(0).text("TWIN", 6).text(tableId, 8);
    out.u32(1).text("TWIN", 4).u32(1).bytes(body);
    byte[] table = out.filled();
    table[9] = checksum(table, length);
    return table;
  }

  /** The byte that makes the sum of the first {@code length} bytes zero, it being zero so far. */
  private static byte checksum(byte[] bytes, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }

  private static void put(byte[] blob, int at, byte[] table) {
    System.arraycopy(table, 0, blob, at, table.length);
  }

  private static int align(int offset, int to) {
    return (offset + to - 1) / to * to;
  }
}
