package io.twinkernel.broker.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the buses of a guest, captured. */
class PortChecksTest {
  private static final String SERVICE = "0000:81:00.0";

  @TempDir Path root;
  private NodeFacts node;

  @BeforeEach
  void capture() throws IOException {
    node = new NodeFactsReader(CapturedTree.in(root)).read(Optional.empty());
  }

  @Test
  void aNicOnAnotherBusWillDo() throws Exception {
    assertThat(codes(SERVICE)).isEmpty();
    assertThat(codes("")).isEmpty();
  }

  @Test
  void whatIsNoNicIsRefused() throws Exception {
    assertThat(codes("0000:82:00.1")).containsExactly("service-port-missing");
    assertThat(codes("0000:00:1f.2")).containsExactly("service-port-missing");
  }

  @Test
  void anInterfaceBelowAnotherOneIsRefused() throws Exception {
    String name =
        node.functions().stream()
            .filter(one -> one.address().equals(SERVICE))
            .findFirst()
            .orElseThrow()
            .interfaces()
            .getFirst();
    Files.createDirectories(root.resolve("sys/class/net").resolve(name).resolve("upper_br0"));
    assertThat(PortChecks.refusals(root, node, request(SERVICE)))
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.code()).isEqualTo("service-interface-enslaved");
              assertThat(refusal.why()).contains("br0");
            });
  }

  private List<String> codes(String port) throws Exception {
    return PortChecks.refusals(root, node, request(port)).stream().map(Refusal::code).toList();
  }

  private static PlanRequest request(String port) {
    return new PlanRequest(
        Path.of("/boot/vmlinuz"),
        Path.of("/boot/initrd"),
        List.of(3),
        List.of("0000:82"),
        SERVICE,
        port.isEmpty() ? Optional.empty() : Optional.of(port),
        128L << 20,
        80L << 20);
  }
}
