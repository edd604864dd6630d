package io.twinkernel.harness.net;

import io.twinkernel.harness.HarnessException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A network namespace of its own for one run, with a tap whose host end is {@value #HOST}. Nothing
 * in it reaches any other network, and two runs can use the same addresses side by side.
 *
 * @param name of the namespace, as {@code ip netns} lists it
 */
public record Namespace(String name) {

  /** The host's address on the tap. */
  public static final String HOST = "10.99.0.1";

  /** The machine's address. */
  public static final String GUEST = "10.99.0.2";

  /** The tap's name; it is unique within its namespace. */
  public static final String TAP = "twin0";

  /** Every namespace of this project starts so. */
  public static final String PREFIX = "twinkernel-";

  private static final Path NAMED = Path.of("/run/netns");

  /** Makes the namespace and the tap in it. */
  public void create() throws HarnessException {
    Ip.run("netns", "add", name);
    Ip.run("-n", name, "link", "set", "lo", "up");
    Ip.run("-n", name, "tuntap", "add", "dev", TAP, "mode", "tap");
    Ip.run("-n", name, "address", "add", HOST + "/24", "dev", TAP);
    Ip.run("-n", name, "link", "set", TAP, "up");
  }

  public boolean exists() {
    return Files.exists(NAMED.resolve(name));
  }

  /** Removes the name; tap and namespace go with the last process that is in it. */
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
