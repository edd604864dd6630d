package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On images that CRIU 3.17.1 made of a process with a descriptor of each kind on Linux 6.12. */
final class ImageFindingsTest {
  @TempDir Path images;

  @BeforeEach
  void copy() throws IOException {
    for (String name : List.of("ids-5005", "fdinfo-2")) {
      put(name, captured(name));
    }
  }

  private void put(String name, byte[] content) throws IOException {
    Files.write(images.resolve(name + ".img"), content);
  }

  private static byte[] captured(String name) throws IOException {
    String place = "everything-5005/" + name + ".img";
    try (InputStream in = ImageFindingsTest.class.getResourceAsStream(place)) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }

  @Test
  void timerFdsAreFound() throws IOException {
    assertThat(ImageFindings.timerFds(images))
        .containsExactly(new ImageFindings.Descriptor(5005, 21));
  }

  /** By fork(2): it is one. */
  @Test
  void oneThatSeveralHaveIsFoundOnce() throws IOException {
    put("ids-5017", captured("ids-5005"));
    assertThat(ImageFindings.timerFds(images)).hasSize(1);
  }

  @Test
  void noneAreWhereNothingIs() throws IOException {
    Files.delete(images.resolve("ids-5005.img"));
    assertThat(ImageFindings.timerFds(images)).isEmpty();
  }

  @Test
  void imagesThatAreCutOffAreRefused() throws IOException {
    byte[] whole = captured("fdinfo-2");
    put("fdinfo-2", Arrays.copyOf(whole, whole.length - 1));
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> ImageFindings.timerFds(images))
        .withMessageStartingWith("fdinfo-2.img: ");
    Files.delete(images.resolve("fdinfo-2.img"));
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> ImageFindings.timerFds(images));
  }
}
