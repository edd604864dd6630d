package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleSetTest {
  @TempDir private Path modules;

  @BeforeEach
  void someOfAKernelsModules() throws IOException {
    module("virtio_net", "virtio,virtio_ring,net_failover");
    module("net_failover", "failover");
    module("failover", "");
    module("virtio_ring", "");
    module("virtio", "virtio_ring");
    module("libcrc32c", "");
    module("nf-tables", "nfnetlink,libcrc32c");
    module("nfnetlink", "");
    module("broken", "gone");
    Files.writeString(
        modules.resolve("modules.builtin"),
        "kernel/net/packet/af_packet.ko\nkernel/crypto/crc32c_generic.ko\n");
  }

  @Test
  void putsEachAfterThoseItNeeds() throws IOException, RootfsException, InterruptedException {
    assertThat(ModuleSet.pick(modules, List.of("virtio_net", "nf_tables")).inOrder().keySet())
        .containsExactly(
            "virtio_ring",
            "virtio",
            "failover",
            "net_failover",
            "virtio_net",
            "nfnetlink",
            "libcrc32c",
            "nf_tables");
  }

  @Test
  void leavesOutWhatIsBuiltInOrOptionalAndAbsent()
      throws IOException, RootfsException, InterruptedException {
    assertThat(
            ModuleSet.pick(modules, List.of("af_packet", "crc32c-generic", "?no_such", "failover"))
                .inOrder()
                .keySet())
        .containsExactly("failover");
  }

  @Test
  void saysWhichIsMissing() {
    for (String name : List.of("no_such", "broken")) {
      assertThatThrownBy(() -> ModuleSet.pick(modules, List.of(name)))
          .isInstanceOfSatisfying(
              RootfsException.class,
              e -> assertThat(e.code()).isEqualTo(RootfsException.Code.MODULES))
          .hasMessageContaining(name);
    }
  }

  @Test
  void refusesAFileThatIsNoModule() throws IOException {
    Files.writeString(modules.resolve("kernel/text.ko"), "text ".repeat(100));

    assertThatThrownBy(() -> ModuleSet.pick(modules, List.of("text"))).hasMessageContaining("ELF");
  }

  /** An ELF file with a .modinfo section and the table of section names, and nothing else. */
  private void module(String name, String depends) throws IOException {
    byte[] information =
        ("license=GPL\0depends=" + depends + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
    int namesAt = 64 + information.length;
    int table = namesAt + names.length;
    ByteBuffer elf = ByteBuffer.allocate(table + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f).putLong(0x28, table);
    elf.putShort(0x3a, (short) 64).putShort(0x3c, (short) 3).putShort(0x3e, (short) 2);
    elf.put(64, information).put(namesAt, names);
    section(elf, table + 64, 1, 64, information.length);
    section(elf, table + 128, 10, namesAt, names.length);
    Path file = modules.resolve("kernel").resolve(name + ".ko");
    Files.createDirectories(modules.resolve("kernel"));
    Files.write(file, elf.array());
  }

  private static void section(ByteBuffer elf, int header, int name, int offset, int size) {
    elf.putInt(header, name).putLong(header + 0x18, offset).putLong(header + 0x20, size);
  }
}
