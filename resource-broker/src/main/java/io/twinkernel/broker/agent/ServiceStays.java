package io.twinkernel.broker.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A note, for a broker that starts anew in the middle of a switch, that B gets no device of the
 * service's: the processes can go on before B has been stopped.
 */
final class ServiceStays {
  private static final Path NOTE = Path.of("/run/twin/service-stays");

  private ServiceStays() {}

  /** Of the upgrade that begins now. */
  static void note(boolean stays) throws IOException {
    if (stays) {
      Files.createDirectories(NOTE.getParent());
      Files.write(NOTE, new byte[0]);
    } else {
      Files.deleteIfExists(NOTE);
    }
  }

  static boolean isNoted() {
    return Files.exists(NOTE);
  }
}
