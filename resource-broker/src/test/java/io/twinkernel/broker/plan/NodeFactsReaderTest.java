package io.twinkernel.broker.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeFactsReaderTest {

  @TempDir Path root;

  @Test
  void aGuestIsRead() throws IOException {
    NodeFacts facts = read(CapturedTree.in(root));
    assertThat(facts.uid()).isZero();
    assertThat(facts.lockdown()).isEqualTo("none");
    assertThat(facts.kexecDisabled()).isFalse();
    assertThat(facts.crashImageLoaded()).isFalse();
    assertThat(facts.release()).isEqualTo("6.1.0-54-cloud-amd64");
    assertThat(facts.present()).containsExactly(0, 1, 2, 3);
    assertThat(facts.online()).containsExactly(0, 1, 2, 3);
    assertThat(facts.hotpluggable()).contains(1, 2, 3);
    assertThat(facts.apicIds()).isEqualTo(Map.of(0, 0, 1, 1, 2, 2, 3, 3));
    assertThat(facts.iomem().named("Crash kernel").getFirst().size()).isEqualTo(1L << 30);
    assertThat(facts.availableBytes()).isBetween(1L << 30, 3L << 30);
  }

  @Test
  void pciFunctionsAreRead() throws IOException {
    Path tree = CapturedTree.in(root);
    PciFunction port = function(tree, "0000:80:00.0");
    assertThat(port.classCode()).isEqualTo(0x060400);
    assertThat(port.secondaryBus()).isEqualTo(0x81);
    assertThat(port.subordinateBus()).isEqualTo(0x81);
    assertThat(port.driver()).isEqualTo("pcieport");
    assertThat(port.interfaces()).isEmpty();
    PciFunction nic = function(tree, "0000:81:00.0");
    assertThat(nic.bus()).isEqualTo("0000:81");
    assertThat(nic.driver()).isEqualTo("virtio-pci");
    assertThat(nic.interfaces()).containsExactly("eth1");
    assertThat(nic.uses()).isEmpty();
    assertThat(nic.iommu()).isEmpty();
    assertThat(function(tree, "0000:00:02.0").uses())
        .containsExactly("network interface eth0 is up");
    assertThat(function(tree, "0000:83:00.0").uses()).containsExactly("vda is swap space");
    assertThat(function(tree, "0000:82:00.0").uses()).isEmpty();
  }

  @Test
  void mountsAreFoundOnPartitionsAndOnWhatIsBuiltOfThem() throws IOException {
    Path tree = CapturedTree.in(root);
    Path disk = tree.resolve("sys/devices/pci0000:80/0000:80:02.0/0000:83:00.0/virtio3/block/vda");
    file(disk.resolve("vda1/dev"), "254:1\n");
    file(disk.resolve("vda1/holders/dm-0/dev"), "253:0\n");
    file(disk.resolve("vda2/dev"), "254:2\n");
    Files.writeString(
        tree.resolve("proc/self/mountinfo"),
        """
        30 1 254:2 / / rw - ext4 /dev/vda2 rw
        31 30 253:0 / /srv rw - xfs /dev/mapper/srv rw
        """);
    assertThat(function(tree, "0000:83:00.0").uses())
        .containsExactlyInAnyOrder(
            "vda is swap space", "dm-0 is mounted on /srv", "vda2 is mounted on /");
  }

  @Test
  void anIommuIsNoticed() throws IOException {
    Path tree = CapturedTree.in(root);
    file(tree.resolve("sys/kernel/iommu_groups/7/type"), "DMA-FQ\n");
    Files.createSymbolicLink(
        tree.resolve("sys/devices/pci0000:80/0000:80:00.0/0000:81:00.0/iommu_group"),
        Path.of("../../../../kernel/iommu_groups/7"));
    assertThat(function(tree, "0000:81:00.0").iommu()).isEqualTo("DMA-FQ");
  }

  /** As 6.1 and 6.12 print them with QEMU's intel-iommu. */
  @Test
  void remappedInterruptsAreNoticed() throws IOException {
    Path tree = CapturedTree.in(root);
    assertThat(read(tree).interruptsRemapped()).isFalse();
    Path interrupts = tree.resolve("proc/interrupts");
    Files.writeString(
        interrupts, "           CPU0\n  1:  9   IO-APIC   1-edge      i8042, IR-remote\n");
    assertThat(read(tree).interruptsRemapped()).isFalse();
    Files.writeString(
        interrupts, "           CPU0\n 24:  9   IR-PCI-MSI 1572864-edge      virtio1-config\n");
    assertThat(read(tree).interruptsRemapped()).isTrue();
  }

  @Test
  void settingsThatForbidAreRead() throws IOException {
    Path tree = CapturedTree.in(root);
    Files.writeString(
        tree.resolve("sys/kernel/security/lockdown"), "none [integrity] confidentiality\n");
    Files.writeString(tree.resolve("sys/kernel/kexec_crash_loaded"), "1\n");
    Files.writeString(tree.resolve("proc/sys/kernel/kexec_load_disabled"), "1\n");
    Files.writeString(tree.resolve("proc/self/status"), "Name:\tjava\nUid:\t1000\t1001\t1001\t0\n");
    NodeFacts facts = read(tree);
    assertThat(facts.lockdown()).isEqualTo("integrity");
    assertThat(facts.crashImageLoaded()).isTrue();
    assertThat(facts.kexecDisabled()).isTrue();
    assertThat(facts.uid()).isEqualTo(1001);
  }

  @Test
  void aKernelWithoutTheseFeaturesIsRead() throws IOException {
    Path tree = CapturedTree.in(root);
    Files.delete(tree.resolve("sys/kernel/security/lockdown"));
    Files.delete(tree.resolve("sys/kernel/kexec_crash_loaded"));
    Files.delete(tree.resolve("proc/swaps"));
    assertThat(read(tree).lockdown()).isEqualTo("none");
    assertThat(function(tree, "0000:83:00.0").uses()).isEmpty();
  }

  private static NodeFacts read(Path tree) throws IOException {
    return new NodeFactsReader(tree).read(Optional.empty());
  }

  private static PciFunction function(Path tree, String address) throws IOException {
    return read(tree).functions().stream()
        .filter(function -> function.address().equals(address))
        .findFirst()
        .orElseThrow();
  }

  private static void file(Path path, String content) throws IOException {
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }
}
