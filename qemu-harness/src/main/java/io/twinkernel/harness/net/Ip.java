package io.twinkernel.harness.net;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The {@code ip} command of iproute2. */
final class Ip {

  private Ip() {}

  /** Runs it and returns what it printed. */
  static String run(String... arguments) throws HarnessException {
    List<String> line = new ArrayList<>(List.of("ip"));
    line.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new HarnessException.Machine(
            String.join(" ", line) + ": exit code " + code + ": " + output.strip());
      }
      return output;
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "the ip command did not run: " + failure.getMessage() + "; install iproute2", failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new HarnessException.Machine("interrupted in " + String.join(" ", line), interrupted);
    }
  }
}
