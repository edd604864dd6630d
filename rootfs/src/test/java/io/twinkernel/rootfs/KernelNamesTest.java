package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KernelNamesTest {
  /** As apt-cache pkgnames says it, unordered. */
  private static final List<String> NAMES =
      Stream.of(
              "6.12.9+deb12-cloud-amd64",
              "6.12.117+deb12-cloud-amd64",
              "6.12.117+deb12-rt-amd64",
              "6.12-cloud-amd64",
              "6.1.0-9-cloud-amd64",
              "6.1.0-56-cloud-amd64",
              "6.1.0-56-cloud-amd64-dbg",
              "7.3.4+deb13-cloud-amd64",
              "cloud-amd64")
          .flatMap(release -> Stream.of("linux-image-" + release, "linux-headers-" + release))
          .toList();

  @Test
  void takesTheNewestOfASeriesByItsNumbers() {
    assertThat(KernelNames.newest("6.12", NAMES)).contains("6.12.117+deb12-cloud-amd64");
    assertThat(KernelNames.newest("6.1", NAMES)).contains("6.1.0-56-cloud-amd64");
    assertThat(KernelNames.newest("newest", NAMES)).contains("7.3.4+deb13-cloud-amd64");
  }

  @Test
  void takesTheReleaseThatIsNamed() {
    assertThat(KernelNames.newest("6.1.0-9-cloud-amd64", NAMES)).contains("6.1.0-9-cloud-amd64");
    assertThat(KernelNames.newest("6.12.117+deb12-rt-amd64", NAMES))
        .contains("6.12.117+deb12-rt-amd64");
    assertThat(KernelNames.newest("6.13", NAMES)).isEmpty();
  }

  @Test
  void passesOverWhatTheArchiveHasNoHeadersOf() {
    assertThat(
            KernelNames.complete(
                List.of(
                    "linux-image-6.16.3+deb13-cloud-amd64",
                    "linux-image-7.2.6+deb13-cloud-amd64",
                    "linux-headers-7.2.6+deb13-cloud-amd64")))
        .containsExactly("7.2.6+deb13-cloud-amd64");
  }

  @Test
  void knowsWhichReleaseOfDebianToAsk() throws RootfsException {
    assertThat(KernelNames.suites("5.10")).containsExactly(PackageArchive.Release.BULLSEYE);
    assertThat(KernelNames.suites("6.1")).containsExactly(PackageArchive.Release.BOOKWORM);
    assertThat(KernelNames.suites("6.1.0-0.deb11.52-cloud-amd64"))
        .containsExactly(PackageArchive.Release.BULLSEYE);
    assertThat(KernelNames.suites("6.12.117+deb13-cloud-amd64"))
        .containsExactly(PackageArchive.Release.TRIXIE);
    assertThat(KernelNames.suites("7.2"))
        .containsExactly(PackageArchive.Release.TRIXIE, PackageArchive.Release.SID);
    assertThat(KernelNames.suites("newest"))
        .containsExactly(PackageArchive.Release.TRIXIE, PackageArchive.Release.SID);
    assertThatThrownBy(() -> KernelNames.suites("stable"))
        .isInstanceOfSatisfying(
            RootfsException.class,
            e -> assertThat(e.code()).isEqualTo(RootfsException.Code.UNKNOWN_KERNEL));
  }

  @Test
  void samplesTheEndsOfEachSeriesAndFlavour() {
    assertThat(
            KernelBuildMachineTest.sample(
                List.of(
                    "6.12.94+deb13-cloud-amd64",
                    "6.12.107+deb13-amd64",
                    "6.12.107+deb13-cloud-amd64",
                    "6.12.117+deb13-amd64",
                    "6.12.117+deb13-cloud-amd64",
                    "7.2.6+deb13-cloud-amd64",
                    "7.2.6+deb13-rt-amd64")))
        .containsExactlyInAnyOrder(
            "6.12.94+deb13-cloud-amd64",
            "6.12.117+deb13-cloud-amd64",
            "6.12.117+deb13-amd64",
            "7.2.6+deb13-cloud-amd64",
            "7.2.6+deb13-rt-amd64");
  }
}
