package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.image.KernelImage;
import io.twinkernel.ffi.TwinInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class TwinCommandLineTest {
  private static final TwinInfo INFO =
      new TwinInfo(
          TwinInfo.ABI,
          TwinInfo.Role.PRIMARY,
          TwinInfo.State.CARVED,
          Optional.of(new TwinInfo.Range(0x3400_0000L, 0x3000_0000L)),
          Optional.of(new TwinInfo.Range(0x3000_0000L, 0x400_0000L)),
          new TwinInfo.Range(0x98000, 0x6000),
          OptionalLong.of(0xb000_0000L),
          3_000_000,
          0,
          OptionalInt.empty());

  /** On kernels before 6.9 the second CPU in B's tables is the machine's boot CPU. */
  @Test
  void noKernelStartsACpuByItselfHoweverManyItGets() throws Exception {
    for (List<Integer> given : List.of(List.of(6), List.of(6, 4), List.of(6, 4, 2))) {
      List<String> words = line("6.1.0-56-amd64", given);
      assertThat(words).contains("maxcpus=1");
      assertThat(words)
          .contains("twin.cpus=" + given.toString().replaceAll("[\\[\\] ]", ""))
          .contains("twin.role=secondary", "twin.shared_start=0x30000000", "panic=0");
      assertThat(words).isEqualTo(line("6.12.117+deb12-amd64", given));
    }
  }

  /** An x2APIC's ids have 32 bits. */
  @Test
  void apicIdsAreUnsigned() throws Exception {
    assertThat(line("7.2.6", List.of(-2, 256))).contains("twin.cpus=4294967294,256");
  }

  private static List<String> line(String release, List<Integer> given) throws Exception {
    NodeConf conf =
        NodeConf.parse(
            """
            node=demo
            control.host=10.99.0.1
            control.port=7441
            control.token=abc
            service.interface.pci=0000:81:00.0
            b.buses=0000:82
            """);
    var image =
        new KernelImage(
            Path.of("/boot/vmlinuz"), release, release + " #1", 0x20f, 2047, 2 << 20, 1, 1);
    var plan =
        new UpgradePlan(
            "u1",
            image.path(),
            Path.of("/boot/initrd"),
            List.of(3, 2, 1),
            List.of(),
            Optional.empty(),
            List.of(),
            Optional.empty(),
            false,
            0);
    String line =
        TwinCommandLine.of(
            INFO, 0x3000_1000L, conf, new Stage.Planned(plan, image, 0, Map.of()), given);
    return List.of(line.split(" ", -1));
  }
}
