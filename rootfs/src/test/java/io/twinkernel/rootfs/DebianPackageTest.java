package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DebianPackageTest {
  private static final String SHA256 =
      "784e17b51024ff878fd7d709a68346658fa9b21f6de740cb75e474f28790971c";
  private static final String LINE =
      "'http://mirror.example/redis-server_7.0.15-1%7edeb12u10_amd64.deb'"
          + " redis-server_5%3a7.0.15-1~deb12u10_amd64.deb 73908 SHA256:"
          + SHA256;

  @Test
  void readsWhatAptSays() {
    assertThat(DebianPackage.parse(LINE))
        .contains(
            new DebianPackage(
                "redis-server",
                "5:7.0.15-1~deb12u10",
                "redis-server_5%3a7.0.15-1~deb12u10_amd64.deb",
                73908,
                SHA256));
  }

  @Test
  void readsWhatItWrote() {
    DebianPackage read = DebianPackage.parse(LINE).orElseThrow();

    assertThat(DebianPackage.parse(read.line())).contains(read);
  }

  @Test
  void takesNoPackageWithoutAStrongHash() {
    assertThat(DebianPackage.parse(LINE.replace("SHA256:" + SHA256, "MD5Sum:ab69e41d"))).isEmpty();
    assertThat(DebianPackage.parse("W: something else")).isEmpty();
  }
}
