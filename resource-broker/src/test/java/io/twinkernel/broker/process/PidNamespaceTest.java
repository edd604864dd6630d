package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The numbers are those that a guest had for a container. */
final class PidNamespaceTest {
  @TempDir private Path proc = Path.of("/proc");

  private void process(String pid, String namespace, String numbers) throws IOException {
    Files.createDirectories(proc.resolve(pid + "/ns"));
    Files.createSymbolicLink(proc.resolve(pid + "/ns/pid"), Path.of(namespace));
    Files.writeString(
        proc.resolve(pid + "/status"), "Name:\tinside\nNSpid:\t" + numbers + "\nNSpgid:\t0\n");
  }

  @BeforeEach
  void capture() throws IOException {
    process("self", "pid:[4026531836]", "700");
    process("700", "pid:[4026531836]", "700");
    process("5040", "pid:[4026532284]", "5040\t1");
    process("5044", "pid:[4026532284]", "5044\t2");
    process("5050", "pid:[4026532290]", "5050\t1");
    Files.createDirectories(proc.resolve("5060/ns"));
  }

  @Test
  void numbersAreThoseOfOneNamespace() throws IOException {
    var namespaces = new PidNamespace(proc);
    assertThat(namespaces.numbers(5040)).isEqualTo(Map.of(1, 5040, 2, 5044));
    assertThat(namespaces.numbers(5044)).isEqualTo(Map.of(1, 5040, 2, 5044));
    assertThat(namespaces.numbers(5050)).isEqualTo(Map.of(1, 5050));
    assertThat(namespaces.numbers(5061)).isEmpty();
  }

  @Test
  void ownIsAnotherThanTheBrokers() throws IOException {
    var namespaces = new PidNamespace(proc);
    assertThat(namespaces.isOwn(5040)).isTrue();
    assertThat(namespaces.isOwn(700)).isFalse();
    // It is just ending, and one that has ended.
    assertThat(namespaces.isOwn(5060)).isFalse();
    assertThat(namespaces.isOwn(5061)).isFalse();
  }

  @Test
  void ofRealProcesses() throws IOException {
    var namespaces = new PidNamespace(Path.of("/proc"));
    int self = (int) ProcessHandle.current().pid();
    assertThat(namespaces.isOwn(self)).isFalse();
    assertThat(namespaces.numbers(self)).containsValue(self);
  }
}
