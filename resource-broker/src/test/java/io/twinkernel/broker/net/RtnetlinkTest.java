package io.twinkernel.broker.net;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On the real kernel, in a network namespace that lives as long as each test's own process. */
class RtnetlinkTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "move",
        "twice",
        "loopback",
        "multipath",
        "clear",
        "errors",
        "many",
        "carrier",
        "rules"
      })
  void inANamespaceOfItsOwn(String scenario) throws Exception {
    Process process =
        new ProcessBuilder(
                "unshare",
                "--net",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                NamespaceScenario.class.getName(),
                scenario)
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
