package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AptSourcesTest {
  private static final String KEY = "/usr/share/keyrings/debian-archive-keyring.gpg";

  @TempDir private Path etc;

  @Test
  void readsDeb822() throws IOException, RootfsException {
    Files.createDirectories(etc.resolve("sources.list.d"));
    Files.writeString(
        etc.resolve("sources.list.d/debian.sources"),
        """
        Types: deb
        # a remark
        URIs: http://mirror.example/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By: %1$s

        Types: deb
        URIs: http://mirror.example/debian-security
        Suites: bookworm-security
        Components: main
        Signed-By: %1$s
        """
            .formatted(KEY));

    AptSources sources = AptSources.read(etc, "bookworm");

    assertThat(sources.archive())
        .isEqualTo(new AptSources.Mirror("http://mirror.example/debian", Optional.of(KEY)));
    assertThat(sources.security().uri()).isEqualTo("http://mirror.example/debian-security");
  }

  @Test
  void readsOneLineFormat() throws IOException, RootfsException {
    Files.writeString(
        etc.resolve("sources.list"),
        """
        # deb http://off.example/debian bookworm main
        deb-src http://source.example/debian bookworm main
        deb [arch=amd64 signed-by=%s] http://mirror.example/debian bookworm main contrib
        deb http://security.example/debian-security bookworm-security main
        """
            .formatted(KEY));

    AptSources sources = AptSources.read(etc, "bookworm");

    assertThat(sources.archive())
        .isEqualTo(new AptSources.Mirror("http://mirror.example/debian", Optional.of(KEY)));
    assertThat(sources.security())
        .isEqualTo(
            new AptSources.Mirror("http://security.example/debian-security", Optional.empty()));
  }

  @Test
  void asksForOtherSuitesAtTheSameMirrors() {
    AptSources sources =
        new AptSources(
            new AptSources.Mirror("http://a", Optional.of(KEY)),
            new AptSources.Mirror("http://s", Optional.empty()));

    assertThat(
            sources.forSuites(
                List.of(
                    new AptSources.Suite("trixie-backports"),
                    new AptSources.Suite("trixie-security"))))
        .isEqualTo(
            """
            Types: deb
            URIs: http://a
            Suites: trixie-backports
            Components: main
            Signed-By: %s

            Types: deb
            URIs: http://s
            Suites: trixie-security
            Components: main

            """
                .formatted(KEY));
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() -> AptSources.read(etc, "bookworm"))
        .isInstanceOf(RootfsException.class)
        .hasMessageContaining("bookworm")
        .hasMessageContaining("sources.list");
  }
}
