package io.twinkernel.broker.agent;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * What an operator tells a broker about its machine, /etc/twin/node.conf.
 *
 * @param node the machine's name
 * @param controlHost where the control plane listens for brokers
 * @param controlToken proves to the control plane that this is the node
 * @param serviceFunction PCI address of the NIC that carries the service, as "0000:81:00.0"
 * @param servicePorts PCI addresses of NICs in the service's network, which the service may be on;
 *     empty where its NIC itself goes over
 * @param serviceCgroup cgroup v2 directory of the processes that move
 * @param sharedBytes size of the region that both kernels share
 * @param buses PCI buses that B gets when it starts, as "0000:82"
 * @param cpus CPUs that B gets when it starts
 * @param failover what B does when A panics beside it
 * @param serviceStart the program that starts the service anew, for {@link Failover.Policy#ADOPT}
 * @param servicePractice the program that has another instance of the service do in B what clients
 *     ask of it, before the service comes; empty for none
 * @param earlyConsole what B's kernel says its first words to, as {@code earlycon=} takes it; must
 *     be a device that A does not use; empty for none
 * @param measuredNics a NIC of A's and one of B's that are joined and that nobody uses: where the
 *     link is measured, TCP is, too; empty for none
 * @param practice how often at least both kernels practise the gap before it
 * @param interruptsPass whether an IOMMU that remaps interrupts lets those pass that are not in its
 *     table: what the hardware does cannot be read from it
 * @param imageHasRules whether B's image sets up packet filters and routing rules of its own: A's
 *     do not move
 */
public record NodeConf(
    String node,
    String controlHost,
    int controlPort,
    String controlToken,
    String serviceFunction,
    List<String> servicePorts,
    Path serviceCgroup,
    long sharedBytes,
    List<String> buses,
    List<Integer> cpus,
    Failover.Policy failover,
    String serviceStart,
    String servicePractice,
    String earlyConsole,
    List<String> measuredNics,
    int practice,
    boolean interruptsPass,
    boolean imageHasRules) {

  /** Where the file lies. */
  public static final Path FILE = Path.of("/etc/twin/node.conf");

  private static final String SERVICE_FUNCTION = "service.interface.pci";
  private static final long SHARED_BYTES = 128L << 20;
  private static final int PRACTICE = 20;
  private static final int MOST_PRACTICE = 1000;

  /** Reads {@link #FILE}. */
  public static NodeConf read() throws IOException {
    return parse(Files.readString(FILE));
  }

  /** Takes the configuration of the kernel before, which is this one's from now on. */
  static NodeConf adopt(byte[] text) throws IOException {
    NodeConf conf = parse(new String(text, StandardCharsets.UTF_8));
    Files.createDirectories(FILE.getParent());
    Files.write(FILE, text);
    return conf;
  }

  /** The service is on another NIC from now on: so says {@link #FILE}, too. */
  static NodeConf serviceOn(String function) throws IOException {
    return adopt(withService(Files.readString(FILE), function).getBytes(StandardCharsets.UTF_8));
  }

  static String withService(String text, String function) {
    return text.replaceAll(
        "(?m)^\\h*" + Pattern.quote(SERVICE_FUNCTION) + "\\h*[=:\\h].*$",
        SERVICE_FUNCTION + "=" + function);
  }

  /**
   * Reads a configuration.
   *
   * @param text Java properties
   * @throws IOException naming the property that is missing or malformed
   */
  public static NodeConf parse(String text) throws IOException {
    var properties = new Properties();
    properties.load(new StringReader(text));
    var cpus = new ArrayList<Integer>();
    for (String cpu : words(properties.getProperty("b.cpus", ""))) {
      cpus.add((int) number("b.cpus", cpu));
    }
    Failover.Policy failover = Failover.Policy.of(properties.getProperty("failover", "stay"));
    return new NodeConf(
        required(properties, "node"),
        required(properties, "control.host"),
        (int) number("control.port", required(properties, "control.port")),
        required(properties, "control.token"),
        required(properties, SERVICE_FUNCTION),
        words(properties.getProperty("service.ports", "")),
        Path.of(properties.getProperty("service.cgroup", "/sys/fs/cgroup/service")),
        number("shared.bytes", properties.getProperty("shared.bytes", "" + SHARED_BYTES)),
        words(properties.getProperty("b.buses", "")),
        List.copyOf(cpus),
        failover,
        failover == Failover.Policy.ADOPT ? required(properties, "service.start") : "",
        properties.getProperty("service.practice", "").strip(),
        properties.getProperty("b.earlycon", ""),
        pair(words(properties.getProperty("measure.nics", ""))),
        practice(properties.getProperty("switch.practice", "" + PRACTICE)),
        isSecond(properties, "iommu.interrupts", "remapped", "pass"),
        isSecond(properties, "network.rules", "none", "image"));
  }

  private static int practice(String value) throws IOException {
    long times = number("switch.practice", value);
    if (times < 1 || times > MOST_PRACTICE) {
      throw new IOException(
          FILE + ": 'switch.practice' is not from 1 to " + MOST_PRACTICE + ": " + times);
    }
    return (int) times;
  }

  /**
   * Of a property that has one of two values: whether it has the second; it has the first if not
   * set.
   */
  private static boolean isSecond(Properties properties, String name, String first, String second)
      throws IOException {
    String value = properties.getProperty(name, first).strip();
    if (!value.equals(first) && !value.equals(second)) {
      throw new IOException(
          FILE + ": '" + name + "' is '" + value + "', neither " + first + " nor " + second);
    }
    return value.equals(second);
  }

  private static List<String> pair(List<String> nics) throws IOException {
    if (!nics.isEmpty() && nics.size() != 2) {
      throw new IOException(
          FILE + ": 'measure.nics' names a PCI function of A's and one of B's, not " + nics);
    }
    return nics;
  }

  private static List<String> words(String text) {
    var words = new ArrayList<String>();
    for (String word : text.replace(',', ' ').trim().split(" +", -1)) {
      if (!word.isEmpty()) {
        words.add(word);
      }
    }
    return List.copyOf(words);
  }

  private static String required(Properties properties, String name) throws IOException {
    String value = properties.getProperty(name);
    if (value == null || value.isBlank()) {
      throw new IOException(FILE + " does not set '" + name + "'");
    }
    return value.strip();
  }

  private static long number(String name, String value) throws IOException {
    try {
      return Long.parseLong(value.strip());
    } catch (NumberFormatException e) {
      throw new IOException(FILE + ": '" + name + "' is not a number: " + value, e);
    }
  }
}
