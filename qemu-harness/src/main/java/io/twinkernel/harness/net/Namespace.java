package io.twinkernel.harness.net;

import io.twinkernel.harness.HarnessException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A network namespace of its own for one run: a bridge, which is {@value #HOST}, and a tap in it
 * for each NIC of the machine. Nothing in it reaches any other network, and two runs can use the
 * same addresses side by side.
 *
 * @param name of the namespace, as {@code ip netns} lists it
 */
public record Namespace(String name) {

  /** The host's address. */
  public static final String HOST = "10.99.0.1";

  /** The machine's address. */
  public static final String GUEST = "10.99.0.2";

  /** The bridge, which all that goes between host and machine passes; unique in its namespace. */
  public static final String BRIDGE = "twin0";

  /** The tap of the service's NIC. */
  public static final String SERVICE_TAP = "service";

  /** Those of the NICs that the second kernel and the one after it have. */
  public static final List<String> OTHER_TAPS = List.of("second", "third");

  /** Every namespace of this project starts so. */
  public static final String PREFIX = "twinkernel-";

  private static final Path NAMED = Path.of("/run/netns");

  /** Makes the namespace, and bridge and taps in it. */
  public void create() throws HarnessException {
    Ip.run("netns", "add", name);
    Ip.run("-n", name, "link", "set", "lo", "up");
    // As a switch whose ports have been up for long: frames go out by all of them at once.
    Ip.run("-n", name, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0");
    tap(SERVICE_TAP);
    for (String other : OTHER_TAPS) {
      tap(other);
    }
    Ip.run("-n", name, "address", "add", HOST + "/24", "dev", BRIDGE);
    Ip.run("-n", name, "link", "set", BRIDGE, "up");
  }

  private void tap(String tap) throws HarnessException {
    Ip.run("-n", name, "tuntap", "add", "dev", tap, "mode", "tap");
    Ip.run("-n", name, "link", "set", tap, "master", BRIDGE, "up");
  }

  public boolean exists() {
    return Files.exists(NAMED.resolve(name));
  }

  /** Removes the name; bridge, taps and namespace go with the last process that is in it. */
  public void delete() throws HarnessException {
    if (exists()) {
      Ip.run("netns", "delete", name);
    }
  }

  /** The beginning of a command line that runs inside. */
  public List<String> enter() {
    return List.of("ip", "netns", "exec", name);
  }
}
