package io.twinkernel.broker.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcpiTablesTest {

  private static final long BASE = 0x3000_0000L;

  private static final HostBridge CONSOLE_BUS =
      HostBridge.of(
          0x82,
          Window.memory(0xfe00_0000L, 0xfe1f_ffffL),
          Window.prefetchable(0xfe80_0000L, 0xfe9f_ffffL));

  private static final HostBridge WIDE_BUS =
      new HostBridge(
          0x90,
          0x93,
          List.of(
              Window.ports(0xc000, 0xcfff),
              Window.memory(0xfde0_0000L, 0xfdff_ffffL),
              Window.prefetchable(0x38_0000_0000L, 0x38_3fff_ffffL)));

  private static final TwinMachine MACHINE =
      new TwinMachine(BASE, List.of(0, 3, 1, 2, 300), 0xb000_0000L, List.of(CONSOLE_BUS, WIDE_BUS));

  private static final String EQUIVALENT_SOURCE =
      """
      DefinitionBlock ("", "DSDT", 2, "TWIN", "TWINKRNL", 1)
      {
        Scope (\\_SB)
        {
          Device (P082) {
            Name (_HID, EisaId ("PNP0A08")) Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0x82) Name (_BBN, 0x82) Name (_SEG, 0)
            Name (_CRS, ResourceTemplate () {
              WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                0, 0x82, 0x82, 0, 1)
              DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                0, 0xfe000000, 0xfe1fffff, 0, 0x200000)
              DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Prefetchable, ReadWrite,
                0, 0xfe800000, 0xfe9fffff, 0, 0x200000)
            })
          }
          Device (P090) {
            Name (_HID, EisaId ("PNP0A08")) Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0x90) Name (_BBN, 0x90) Name (_SEG, 0)
            Name (_CRS, ResourceTemplate () {
              WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                0, 0x90, 0x93, 0, 4)
              WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                0, 0xc000, 0xcfff, 0, 0x1000)
              DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                0, 0xfde00000, 0xfdffffff, 0, 0x200000)
              QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Prefetchable, ReadWrite,
                0, 0x3800000000, 0x383fffffff, 0, 0x40000000)
            })
          }
        }
      }
      """;

  @TempDir Path work;

  @Test
  void theRsdpLeadsToEveryTableAndAllSumsAreZero() {
    byte[] blob = AcpiTables.build(MACHINE);
    assertThat(new String(blob, 0, 8, StandardCharsets.US_ASCII)).isEqualTo("RSD PTR ");
    assertThat(sum(blob, 0, 20)).isZero();
    assertThat(sum(blob, 0, 36)).isZero();
    List<byte[]> tables = tables(blob);
    assertThat(tables)
        .extracting(AcpiTablesTest::signature)
        .containsExactly("XSDT", "FACP", "APIC", "MCFG", "DSDT");
    assertThat(tables).allSatisfy(table -> assertThat(sum(table, 0, table.length)).isZero());
  }

  @Test
  void theLastPageIsAnIoApicThatIsNotThere() {
    byte[] blob = AcpiTables.build(MACHINE);
    assertThat(blob.length % 4096).isZero();
    byte[] page = Arrays.copyOfRange(blob, blob.length - 4096, blob.length);
    assertThat(page).containsOnly(0xff);
    byte[] madt = tables(blob).get(2);
    assertThat(le(madt).getInt(madt.length - 8)).isEqualTo((int) BASE + blob.length - 4096);
  }

  @Test
  void theMadtListsNobodyFirstAndWideIdsAsX2Apic() throws Exception {
    String source = new Iasl(work).disassemble(tables(AcpiTables.build(MACHINE)).get(2));
    assertThat(fields(source, "Local Apic ID")).containsExactly("FE", "00", "03", "01", "02");
    assertThat(fields(source, "Processor x2Apic ID")).containsExactly("0000012C");
    assertThat(fields(source, "Processor Enabled")).containsExactly("0", "1", "1", "1", "1", "1");
    assertThat(fields(source, "PC-AT Compatibility")).containsExactly("0");
    assertThat(fields(source, "Subtable Type")).hasSize(7);
  }

  @Test
  void theFadtSaysWhatTheTwinMustNotTouch() throws Exception {
    String source = new Iasl(work).disassemble(tables(AcpiTables.build(MACHINE)).get(1));
    assertThat(fields(source, "Legacy Devices Supported (V2)")).containsExactly("0");
    assertThat(fields(source, "8042 Present on ports 60/64 (V2)")).containsExactly("0");
    assertThat(fields(source, "VGA Not Present (V4)")).containsExactly("1");
    assertThat(fields(source, "CMOS RTC Not Present (V5)")).containsExactly("1");
    assertThat(fields(source, "Hardware Reduced (V5)")).containsExactly("1");
    assertThat(fields(source, "Use APIC Physical Destination Mode (V4)")).containsExactly("1");
    assertThat(fields(source, "Reset Register Supported (V2)")).containsExactly("1");
    assertThat(fields(source, "Value to cause reset")).containsExactly("0E");
    assertThat(source).contains("0000000000000CF9");
  }

  @Test
  void theMcfgCoversSegmentZero() throws Exception {
    String source = new Iasl(work).disassemble(tables(AcpiTables.build(MACHINE)).get(3));
    assertThat(fields(source, "Base Address")).containsExactly("00000000B0000000");
    assertThat(fields(source, "Start Bus Number")).containsExactly("00");
    assertThat(fields(source, "End Bus Number")).containsExactly("FF");
  }

  @Test
  void theDsdtIsWhatTheCompilerMakesOfTheSameSource() throws Exception {
    byte[] ours = tables(AcpiTables.build(MACHINE)).get(4);
    assertSameTable(ours, new Iasl(work).compile(EQUIVALENT_SOURCE));
  }

  @Test
  void aBusGivenLaterIsTheSameDeviceInATableOfItsOwn() throws Exception {
    byte[] ssdt = AcpiTables.ssdt(CONSOLE_BUS, "TWINP082");
    assertThat(signature(ssdt)).isEqualTo("SSDT");
    assertThat(sum(ssdt, 0, ssdt.length)).isZero();
    String source = new Iasl(work).disassemble(ssdt);
    assertThat(source).contains("Device (P082)").contains("\"TWINP082\"");
    assertSameTable(ssdt, new Iasl(work).compile(source));
  }

  @Test
  void everyTableSurvivesDisassemblyAndCompilation() throws Exception {
    for (byte[] table : tables(AcpiTables.build(MACHINE))) {
      assertSameTable(table, new Iasl(work).compile(new Iasl(work).disassemble(table)));
    }
  }

  @Test
  void anyMachineSurvivesDisassemblyAndCompilation() throws Exception {
    for (long seed = 1; seed <= 40; seed++) {
      TwinMachine machine = randomMachine(new Random(seed));
      List<byte[]> tables = tables(AcpiTables.build(machine));
      byte[] dsdt = tables.get(4);
      String source = new Iasl(work).disassemble(dsdt);
      for (HostBridge bridge : machine.bridges()) {
        for (Window window : bridge.windows()) {
          int digits = window.kind() == Window.Kind.IO ? 4 : window.wide() ? 16 : 8;
          assertThat(source)
              .as("seed %d, %s", seed, window)
              .contains("0x" + hex(window.start(), digits) + ",")
              .contains("0x" + hex(window.end(), digits) + ",");
        }
      }
      assertSameTable(dsdt, new Iasl(work).compile(source));
      byte[] madt = tables.get(2);
      assertSameTable(madt, new Iasl(work).compile(new Iasl(work).disassemble(madt)));
    }
  }

  @Test
  void impossibleMachinesAreRefused() {
    List<Integer> cpu = List.of(0);
    List<HostBridge> none = List.of();
    long ecam = 0xb000_0000L;
    refused(() -> new TwinMachine(BASE + 64, cpu, ecam, none));
    refused(() -> new TwinMachine(1L << 32, cpu, ecam, none));
    refused(() -> new TwinMachine(BASE, List.of(), ecam, none));
    refused(() -> new TwinMachine(BASE, List.of(0, 1, 0), ecam, none));
    refused(() -> new TwinMachine(BASE, List.of(255), ecam, none));
    refused(() -> new TwinMachine(BASE, cpu, 0, none));
    refused(() -> new TwinMachine(BASE, cpu, ecam, List.of(WIDE_BUS, HostBridge.of(0x93))));
    refused(() -> HostBridge.of(0));
    refused(() -> HostBridge.of(256));
    refused(() -> Window.ports(0xff00, 0x1_0000));
    refused(() -> Window.memory(0x2000, 0x1fff));
    refused(() -> AcpiTables.ssdt(CONSOLE_BUS, "MUCHTOOLONG"));
  }

  private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call);
  }

  private static TwinMachine randomMachine(Random random) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(12); i++) {
      int id = random.nextInt(4) == 0 ? 256 + random.nextInt(4000) : random.nextInt(255);
      if (!ids.contains(id)) {
        ids.add(id);
      }
    }
    List<HostBridge> bridges = new ArrayList<>();
    for (int bus = 1 + random.nextInt(40); bus < 250; bus += 1 + random.nextInt(120)) {
      int last = bus + random.nextInt(5);
      List<Window> windows =
          IntStream.range(0, random.nextInt(5)).mapToObj(i -> randomWindow(random)).toList();
      bridges.add(new HostBridge(bus, last, windows));
      bus = last;
    }
    long page = 4096L * (1 + random.nextInt(0xf0000));
    return new TwinMachine(page, ids, 0x10_0000L * (1 + random.nextInt(0xe00)), bridges);
  }

  private static Window randomWindow(Random random) {
    if (random.nextInt(4) == 0) {
      long start = 4096L * random.nextInt(15);
      return Window.ports(start, start + 4095);
    }
    long start = 0x10_0000L * (1 + random.nextInt(random.nextBoolean() ? 0xe00 : 0x4000_0000));
    long end = start + 0x10_0000L * (1 + random.nextInt(0x200)) - 1;
    // A window across 4 GiB is no window that a bridge can have.
    end = start < 1L << 32 ? Math.min(end, 0xffff_ffffL) : end;
    return new Window(Window.Kind.MEM, random.nextBoolean(), start, end);
  }

  /** All but the creator's id and revision (offset 28) and the checksum. */
  private static void assertSameTable(byte[] ours, byte[] theirs) throws IOException {
    assertThat(neutral(ours)).inHexadecimal().isEqualTo(neutral(theirs));
  }

  private static byte[] neutral(byte[] table) {
    byte[] copy = table.clone();
    copy[9] = 0;
    Arrays.fill(copy, 28, 36, (byte) 0);
    return copy;
  }

  /** XSDT, what it lists, and the DSDT. */
  private static List<byte[]> tables(byte[] blob) {
    List<byte[]> tables = new ArrayList<>();
    byte[] xsdt = table(blob, le(blob).getLong(24));
    tables.add(xsdt);
    for (int at = 36; at < xsdt.length; at += 8) {
      tables.add(table(blob, le(xsdt).getLong(at)));
    }
    ByteBuffer fadt = le(tables.get(1));
    assertThat(Integer.toUnsignedLong(fadt.getInt(40))).isEqualTo(fadt.getLong(140));
    tables.add(table(blob, fadt.getLong(140)));
    return tables;
  }

  private static byte[] table(byte[] blob, long address) {
    long base = BASE;
    // Random machines lie elsewhere: the XSDT follows the RSDP in the same page.
    base = (le(blob).getLong(24) & -4096L) == base ? base : le(blob).getLong(24) & -4096L;
    int at = Math.toIntExact(address - base);
    return Arrays.copyOfRange(blob, at, at + le(blob).getInt(at + 4));
  }

  private static List<String> fields(String source, String label) {
    List<String> values = new ArrayList<>();
    for (String line : source.split("\n", -1)) {
      int at = line.indexOf(label + " : ");
      if (at >= 0 && line.substring(0, at).endsWith(" ")) {
        values.add(line.substring(at + label.length() + 3).strip());
      }
    }
    return values;
  }

  private static String hex(long value, int digits) {
    String hex = Long.toHexString(value).toUpperCase(java.util.Locale.ROOT);
    return "0".repeat(digits - hex.length()) + hex;
  }

  private static String signature(byte[] table) {
    return new String(table, 0, 4, StandardCharsets.US_ASCII);
  }

  private static ByteBuffer le(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int sum(byte[] bytes, int from, int length) {
    int sum = 0;
    for (int i = from; i < from + length; i++) {
      sum += bytes[i];
    }
    return sum & 0xff;
  }
}
