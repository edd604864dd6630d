package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fetches QEMU from Debian's archive and runs it; that guests run in it, the harness tests. */
@Tag("machine")
class EmulatorMachineTest {
  private static final Progress PROGRESS = Progress.lines(System.out);

  @TempDir private Path folder;

  private static Path entry(Emulator emulator) throws RootfsException {
    Path kind = ImageCache.standard().root().resolve(EmulatorPackages.PACKAGE);
    return kind.resolve(emulator.identity());
  }

  @Test
  void theFetchedOneRunsWithNothingOfThisSystems() throws Exception {
    Emulator emulator = Emulator.prepare(Map.of(), ImageCache.standard(), PROGRESS);

    assertThat(Integer.parseInt(emulator.version().split("\\.", 2)[0])).isGreaterThanOrEqualTo(11);
    // In a root of its own, so that neither libraries nor firmware can be this system's.
    Path entry = entry(emulator);
    Command.run(folder, "cp", "-r", entry.toString(), folder.resolve("qemu").toString());
    List<String> words = new ArrayList<>(List.of("timeout", "60", "chroot", folder.toString()));
    words.addAll(EmulatorPackages.startLine(Path.of("/qemu")));
    // Its BIOS finds nothing to boot from and resets the machine, which ends it.
    words.addAll(List.of("-accel", "tcg", "-machine", "q35", "-nodefaults", "-display", "none"));
    words.addAll(List.of("-netdev", "user,id=n,restrict=on", "-device", "virtio-net-pci,netdev=n"));
    words.addAll(List.of("-boot", "reboot-timeout=1", "-no-reboot"));
    Command.Result result = Command.run(folder, Map.of(), words);

    assertThat(result.errors()).isEmpty();
  }

  @Test
  void isFoundAgain() throws Exception {
    Emulator first = Emulator.prepare(Map.of(), ImageCache.standard(), PROGRESS);
    Emulator second = Emulator.prepare(Map.of(), ImageCache.standard(), PROGRESS);

    assertThat(second).isEqualTo(first);
    long size = 0;
    for (Path file : ImageCache.files(entry(first))) {
      size += Files.size(file);
    }
    // Each look-up reads all of it: the packages' whole content would be twice as much.
    assertThat(size).isLessThan(100L << 20);
  }
}
