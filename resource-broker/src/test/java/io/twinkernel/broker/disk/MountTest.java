package io.twinkernel.broker.disk;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.bindings.Linux;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MountTest {
  private static final List<String> LINES =
      List.of(
          "22 27 0:21 / /proc rw,relatime - proc proc rw",
          "41 1 254:0 / /var/lib/redis rw,relatime - ext4 /dev/vda rw",
          "42 1 254:1 /sub /srv rw,nosuid,noatime shared:12 master:3 - ext4 /dev/vdb1"
              + " rw,seclabel,discard,stripe=4",
          "43 1 254:2 / /old ro,nodev - ext4 /dev/vdc ro,errors=remount-ro");

  @Test
  void readsMountinfo() {
    List<Mount> mounts = Mount.parse(LINES);
    assertThat(mounts).hasSize(4);
    Mount redis = mounts.get(1);
    assertThat(redis.device()).isEqualTo("254:0");
    assertThat(redis.point()).isEqualTo("/var/lib/redis");
    assertThat(redis.type()).isEqualTo("ext4");
    assertThat(redis.flags()).isZero();
    assertThat(redis.data()).isEmpty();
  }

  @Test
  void saysWhatMountsItAlike() {
    Mount srv = Mount.parse(LINES).get(2);
    assertThat(srv.root()).isEqualTo("/sub");
    assertThat(srv.flags()).isEqualTo(Linux.MS_NOSUID() | Linux.MS_NOATIME());
    assertThat(srv.data()).isEqualTo("discard,stripe=4");
    Mount old = Mount.parse(LINES).get(3);
    assertThat(old.readOnly()).isTrue();
    assertThat(old.flags())
        .isEqualTo(Linux.MS_RDONLY() | Linux.MS_NODEV() | Linux.MS_STRICTATIME());
    assertThat(old.data()).isEqualTo("errors=remount-ro");
  }

  @Test
  void linesThatAreCutOffAreLeftOut() {
    for (int cut = 0;
        cut < LINES.get(2).length() - "rw,seclabel,discard,stripe=4".length();
        cut++) {
      assertThat(Mount.parse(List.of(LINES.get(2).substring(0, cut)))).isEmpty();
    }
  }
}
