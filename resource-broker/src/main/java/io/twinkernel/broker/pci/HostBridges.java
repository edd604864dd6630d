package io.twinkernel.broker.pci;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The PCI buses that can be given to another kernel, each as the host bridge that it is there.
 * Those behind a root port describe themselves. A kernel that was itself started so sees no root
 * port: the kernel before it tells it of all buses, and it keeps that on record for the next one.
 *
 * <p>As text a bridge is one line: its first and last bus, then its windows, all in hexadecimal,
 * such as {@code 81 81 mem:fe000000-fe1fffff pref:fe800000-fe9fffff io:c000-cfff}.
 */
public final class HostBridges {
  private static final String RECORD = "run/twin/host-bridges";

  private final Path root;

  /**
   * The bridges of a machine.
   *
   * @param root where its {@code sys} and {@code run} are: {@code /}, or a captured tree
   */
  public HostBridges(Path root) {
    this.root = root;
  }

  /** Of this machine. */
  public HostBridges() {
    this(Path.of("/"));
  }

  /** A bus, such as "0000:81", as a host bridge; empty if nobody described it. */
  public Optional<HostBridge> of(String bus) throws IOException {
    int number = Integer.parseInt(bus.substring(bus.indexOf(':') + 1), 16);
    return all().stream().filter(bridge -> bridge.startBus() == number).findFirst();
  }

  /** Every bus that can be given. */
  public List<HostBridge> all() throws IOException {
    var bridges =
        new ArrayList<HostBridge>(new PciBridges(root.resolve("sys/bus/pci/devices")).all());
    bridges.addAll(recorded());
    return List.copyOf(bridges);
  }

  /** The root buses here that are described by what the kernel before told. */
  public List<HostBridge> recorded() throws IOException {
    Path record = root.resolve(RECORD);
    return Files.exists(record) ? parse(Files.readAllLines(record)) : List.of();
  }

  /** Keeps what the kernel before told, also for a later life of this program. */
  public void record(List<String> lines) throws IOException {
    Path record = root.resolve(RECORD);
    Files.createDirectories(record.getParent());
    Files.write(record, format(parse(lines)));
  }

  /** As text, a line each. */
  public static List<String> format(List<HostBridge> bridges) {
    var lines = new ArrayList<String>();
    for (HostBridge bridge : bridges) {
      var line = new StringBuilder();
      line.append(hex(bridge.startBus())).append(' ').append(hex(bridge.endBus()));
      for (Window window : bridge.windows()) {
        line.append(' ').append(kind(window)).append(':').append(hex(window.start()));
        line.append('-').append(hex(window.end()));
      }
      lines.add(line.toString());
    }
    return List.copyOf(lines);
  }

  /**
   * The opposite of {@link #format}.
   *
   * @throws IOException naming the line that is none
   */
  public static List<HostBridge> parse(List<String> lines) throws IOException {
    var bridges = new ArrayList<HostBridge>();
    for (String line : lines) {
      try {
        String[] words = line.split(" ", -1);
        var windows = new ArrayList<Window>();
        for (String word : List.of(words).subList(2, words.length)) {
          windows.add(window(word));
        }
        bridges.add(
            new HostBridge(
                Integer.parseInt(words[0], 16), Integer.parseInt(words[1], 16), windows));
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        throw new IOException("not a host bridge: '" + line + "'", e);
      }
    }
    return List.copyOf(bridges);
  }

  private static String kind(Window window) {
    return window.kind() == Window.Kind.IO ? "io" : window.prefetchable() ? "pref" : "mem";
  }

  private static Window window(String word) {
    int colon = word.indexOf(':');
    int dash = word.indexOf('-');
    long start = Long.parseLong(word.substring(colon + 1, dash), 16);
    long end = Long.parseLong(word.substring(dash + 1), 16);
    return switch (word.substring(0, colon)) {
      case "io" -> Window.ports(start, end);
      case "mem" -> Window.memory(start, end);
      case "pref" -> Window.prefetchable(start, end);
      default -> throw new IllegalArgumentException(word);
    };
  }

  private static String hex(long number) {
    return Long.toHexString(number);
  }
}
