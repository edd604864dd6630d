package io.twinkernel.harness.machine;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The machine's hardware registers as QEMU's monitor reads them, with the machine stopped for that
 * long, so that neither kernel takes part. Only what is set by software: counters, times and status
 * bits, which change by themselves, are left out.
 */
final class Registers {

  private static final long HPET = 0xfed00000L;
  private static final Pattern VALUE = Pattern.compile("= (0x[0-9a-f]+)");
  private static final Pattern PIN = Pattern.compile("\\s*pin (\\d+)\\s+(0x[0-9a-f]{16}).*");
  private static final Pattern WORD = Pattern.compile("0x([0-9a-f]{8})");

  /** Delivery status and remote IRR of a redirection entry. */
  private static final long ENTRY_STATUS = (1 << 12) | (1 << 14);

  private static final int MEMORY = 2;
  private static final int INTX_OFF = 0x400;

  private final TestNode node;
  private final long ecam;
  private final List<String> functions;

  /**
   * @param ecam physical base of the configuration space
   * @param functions PCI addresses as {@code 0000:81:00.0}
   */
  Registers(TestNode node, long ecam, List<String> functions) {
    this.node = node;
    this.ecam = ecam;
    this.functions = functions;
  }

  /** Reads all of them: name to value. */
  SortedMap<String, String> read() throws IOException {
    SortedMap<String, String> all = new TreeMap<>();
    node.machine().qmp().execute("stop", Map.of(), Duration.ofSeconds(30));
    try {
      interruptControllers(all);
      timers(all);
      all.put("i8042 status", hex(port(0x64) & 0xf4));
      // Register A without "update in progress"; B without what an alarm changes.
      all.put("RTC A", hex(cmos(0x0a) & 0x7f));
      all.put("RTC B", hex(cmos(0x0b)));
      for (String function : functions) {
        configuration(function, all);
      }
    } finally {
      node.machine().qmp().execute("cont", Map.of(), Duration.ofSeconds(30));
    }
    return all;
  }

  private void interruptControllers(Map<String, String> all) throws IOException {
    all.put("PIC master mask", hex(port(0x21)));
    all.put("PIC slave mask", hex(port(0xa1)));
    all.put("ELCR 0-7", hex(port(0x4d0)));
    all.put("ELCR 8-15", hex(port(0x4d1)));
    for (String line : node.monitor("info pic").split("\\R", -1)) {
      Matcher pin = PIN.matcher(line);
      if (pin.matches()) {
        long entry = Long.decode(pin.group(2)) & ~ENTRY_STATUS;
        all.put("I/O APIC pin " + pin.group(1), hex(entry));
      }
    }
  }

  private void timers(Map<String, String> all) throws IOException {
    for (int channel = 0; channel < 2; channel++) {
      // The 8254's read-back command: latch the status of one channel, not its count.
      node.monitor("o /b 0x43 " + (0xe0 | (2 << channel)));
      all.put("PIT channel " + channel + " mode", hex(port(0x40 + channel) & 0x3f));
    }
    all.put("HPET configuration", words(HPET + 0x10, 2).toString());
    for (int timer = 0; timer < 3; timer++) {
      all.put("HPET timer " + timer, words(HPET + 0x100 + 0x20L * timer, 2).toString());
    }
  }

  /** Command, BARs, bridge windows, interrupt line; not the status word. */
  private void configuration(String function, Map<String, String> all) throws IOException {
    List<String> header = words(address(function), 16);
    // A driver that uses message interrupts leaves the others off; nobody minds.
    long command = Long.parseLong(header.get(1), 16) & 0xffff & ~INTX_OFF;
    header.set(1, hex(command));
    // Of a bridge the upper half is its secondary status.
    if ((Long.parseLong(header.get(3), 16) >> 16 & 0x7f) == 1) {
      header.set(7, header.get(7).substring(4));
    }
    all.put("PCI " + function, header.toString());
  }

  /** PCI_COMMAND of a function. */
  int command(String function) throws IOException {
    return (int) (Long.parseLong(words(address(function), 2).get(1), 16) & 0xffff);
  }

  /**
   * device_status of a virtio device (virtio specification, 4.1.4.3). QEMU puts the common
   * configuration at the start of the fourth BAR; it answers whether memory decoding is on or not
   * only if it is on, so that a device without it counts as reset.
   */
  int deviceStatus(String function) throws IOException {
    List<String> header = words(address(function), 16);
    if ((command(function) & MEMORY) == 0) {
      return 0;
    }
    long bar = Long.parseLong(header.get(9) + header.get(8), 16) & ~0xfL;
    return (int) (Long.parseLong(words(bar + 0x14, 1).getFirst(), 16) & 0xff);
  }

  private long address(String function) {
    String[] parts = function.split("[:.]", -1);
    return ecam
        + (Long.parseLong(parts[1], 16) << 20)
        + (Long.parseLong(parts[2], 16) << 15)
        + (Long.parseLong(parts[3], 16) << 12);
  }

  /** Physical memory or device registers, in words of 32 bits. */
  List<String> words(long address, int count) throws IOException {
    List<String> words = new ArrayList<>();
    for (String line :
        node.monitor("xp /" + count + "xw 0x" + Long.toHexString(address)).split("\\R", -1)) {
      Matcher word = WORD.matcher(line.substring(line.indexOf(':') + 1));
      while (word.find()) {
        words.add(word.group(1));
      }
    }
    if (words.size() != count) {
      throw new IOException(
          words.size() + " words at " + Long.toHexString(address) + " instead of " + count);
    }
    return words;
  }

  private int port(int number) throws IOException {
    String said = node.monitor("i /b 0x" + Integer.toHexString(number));
    Matcher value = VALUE.matcher(said);
    if (!value.find()) {
      throw new IOException("port " + Integer.toHexString(number) + ": " + said);
    }
    return Integer.decode(value.group(1));
  }

  private int cmos(int register) throws IOException {
    node.monitor("o /b 0x70 " + register);
    return port(0x71);
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }
}
