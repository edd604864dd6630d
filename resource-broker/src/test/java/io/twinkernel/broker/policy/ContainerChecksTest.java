package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.plan.CapturedTree;
import io.twinkernel.broker.plan.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against /proc of a real container: 5040 with its child 5044, in there 1 and 2. */
final class ContainerChecksTest {
  private static final int FIRST = 5040;
  private static final int SECOND = 5044;

  @TempDir private Path root;
  private Path proc = Path.of("/proc");

  @BeforeEach
  void capture() throws IOException {
    proc = CapturedTree.in(root, ContainerChecksTest.class, "container.txt").resolve("proc");
    Files.createDirectories(proc.resolve(FIRST + "/root/dev/mqueue"));
    Files.createDirectories(root.resolve("usr/bin"));
    Files.writeString(root.resolve("usr/bin/tar"), "GNU tar");
  }

  private MovePlan plan() throws IOException {
    return MovePlan.of(Policy.parse("move cgroup service/container"), new ProcReader(proc), 1, "");
  }

  private void change(String file, String from, String to) throws IOException {
    Path path = proc.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(from);
    Files.writeString(path, text.replace(from, to));
  }

  private void link(String path, String to) throws IOException {
    Files.delete(proc.resolve(path));
    Files.createSymbolicLink(proc.resolve(path), Path.of(to));
  }

  @Test
  void itGoesOverWithWhatTheOtherKernelMustHave() throws IOException {
    MovePlan plan = plan();
    assertThat(plan.refusals()).isEmpty();
    assertThat(plan.containers())
        .singleElement()
        .satisfies(
            container -> {
              assertThat(container.pid()).isEqualTo(FIRST);
              assertThat(container.mounts().root()).isEqualTo(Path.of("/opt/container/root"));
              // MS_RDONLY, and MS_STRICTATIME: it is not mounted with relatime.
              assertThat(container.mounts().flags()).isEqualTo(1 | 1 << 24);
              assertThat(container.mounts().devices())
                  .isEqualTo(
                      Map.of(
                          "/proc/kcore",
                          "/dev/null",
                          "/proc/keys",
                          "/dev/null",
                          "/proc/timer_list",
                          "/dev/null"));
            });
    assertThat(plan.files())
        .extracting(NeededFile::path)
        .containsExactlyInAnyOrder("/opt/container/root/inside", "/usr/bin/tar", "/usr/bin/gzip");
    assertThat(plan.files())
        .filteredOn(file -> file.path().endsWith("tar"))
        .extracting(NeededFile::bytes)
        .containsExactly(7L);
  }

  @ParameterizedTest
  @CsvSource({
    "/opt/container/root / ro, /opt/container/root / rw, what it wrote there would be lost",
    "0:2 /opt/container/root / ro - rootfs rootfs, 0:40 / / ro - overlay overlay,"
        + " its root file system is overlay (overlay)",
    "0:32 / /tmp, 0:24 / /tmp, what it has on /tmp is the machine's (/ of tmpfs (tmpfs))",
    "0:32 / /tmp, 0:23 /data /tmp, what it has on /tmp is the machine's (/data of tmpfs (tmpfs))",
    "0:32 / /tmp, 0:2 /etc /tmp, what it has on /tmp is the machine's (/etc of tmpfs (tmpfs))",
    "0:32 / /tmp, 0:2 /opt/container/root/etc /tmp, 'what it wrote to /tmp, a part of the image'",
    "'tmpfs tmpfs rw,size=16384k', ext4 /dev/vdb rw, 'it has ext4 (/dev/vdb) on /tmp, which'",
    "0:28 , 0:20 , what it has on /proc is the machine's (/ of proc (proc))",
    "'/proc rw,relatime -', '/proc rw,relatime master:7 -', its /proc (master:7)",
    "0:5 /null /proc/kcore, 0:5 /kmsg /proc/kcore, 'it has devtmpfs (devtmpfs) on /proc/kcore'",
  })
  void whatOfItsMountsCannotIsNamed(String from, String to, String why) throws IOException {
    for (int pid : List.of(FIRST, SECOND)) {
      change(pid + "/mountinfo", from, to);
    }
    assertThat(plan().refusals())
        .anySatisfy(
            refusal -> {
              assertThat(refusal.what()).isEqualTo("pid 5040 (inside)");
              assertThat(refusal.why()).contains(why);
            });
  }

  @Test
  void aSharedMountIsOfPeersWithinOnly() throws IOException {
    change(FIRST + "/mountinfo", "/tmp rw,nosuid,nodev,relatime -", "/tmp rw shared:9 -");
    assertThat(plan().refusals()).isEmpty();
    change("1/mountinfo", "/run rw,relatime -", "/run rw,relatime shared:9 -");
    assertThat(plan().refusals())
        .extracting(Refusal::why)
        .containsExactly("what the machine mounts appears on its /tmp (shared:9)");
  }

  @Test
  void whatPacksItsMemoryMustBeThere() throws IOException {
    Files.move(root.resolve("usr/bin/tar"), root.resolve("usr/bin/busybox"));
    Files.createSymbolicLink(root.resolve("usr/bin/tar"), Path.of("busybox"));
    assertThat(plan().refusals())
        .isNotEmpty()
        .allSatisfy(refusal -> assertThat(refusal.why()).contains("GNU tar: there is none"));
  }

  @Test
  void whatWasOpenedOutsideIsNamed() throws IOException {
    change(FIRST + "/fdinfo/0", "mnt_id:\t45", "mnt_id:\t25");
    assertThat(plan().refusals())
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.what()).isEqualTo("pid 5040 (inside) fd 0 -> /dev/null");
              assertThat(refusal.why()).contains("opened outside the container");
            });
  }

  @Test
  void aMessageQueueDoesNotGoOver() throws IOException {
    Files.createFile(proc.resolve(FIRST + "/root/dev/mqueue/orders"));
    assertThat(plan().refusals())
        .extracting(Refusal::why)
        .containsExactly(
            "it has a POSIX message queue on /dev/mqueue, which CRIU does not take along");
  }

  @Test
  void aNetworkOfItsOwnDoesNotGoOver() throws IOException {
    link(FIRST + "/ns/net", "net:[4026532300]");
    link(SECOND + "/ns/net", "net:[4026532300]");
    assertThat(plan().refusals())
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.what()).isEqualTo("pid 5040 (inside)");
              assertThat(refusal.why()).contains("network (net:[4026532300])", "veth");
              assertThat(refusal.todo()).contains("--network=host");
            });
  }

  @Test
  void whatCameInFromOutsideDoesNotGoOver() throws IOException {
    change(FIRST + "/status", "5040\t1", "5040\t17");
    assertThat(plan().refusals())
        .extracting(Refusal::why)
        .anyMatch(why -> why.contains("it is number 17 there"));
  }

  @Test
  void numbersOutsideDoNotMatter() throws IOException {
    Files.createDirectories(proc.resolve(FIRST + "/task/812"));
    assertThat(plan().refusals()).isEmpty();
  }
}
