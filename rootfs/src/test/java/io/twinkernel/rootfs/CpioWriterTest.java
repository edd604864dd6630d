package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioWriterTest {
  @TempDir private Path folder;

  @Test
  void writesAnEntryAsTheKernelReadsIt() throws IOException {
    String text =
        new String(
            write(new CpioWriter().file("a", 0644, bytes("hi"))), StandardCharsets.ISO_8859_1);

    String header =
        "070701"
            + "00000001"
            + "000081A4"
            + "00000000"
            + "00000000"
            + "00000001"
            + "6955B900"
            + "00000002"
            + "00000000"
            + "00000000"
            + "00000000"
            + "00000000"
            + "00000002"
            + "00000000";
    assertThat(text).startsWith(header + "a\0hi\0\0" + "070701" + "00000000");
    assertThat(text).contains("TRAILER!!!");
    assertThat(text.length() % 512).isZero();
  }

  @Test
  void unpacksToWhatWasPutIn() throws IOException {
    Path source = Files.writeString(folder.resolve("source"), "from disk");

    List<CpioReader.Entry> entries =
        CpioReader.read(
            write(
                new CpioWriter()
                    .link("/bin", "usr/bin")
                    .file("/usr/bin/tool", 0755, source)
                    .device("/dev/kmsg", 0644, 1, 11)
                    .folder("/tmp", 01777)));

    assertThat(entries)
        .containsExactly(
            new CpioReader.Entry("bin", 0120777, "usr/bin", 0, 0),
            new CpioReader.Entry("dev", 040755, "", 0, 0),
            new CpioReader.Entry("dev/kmsg", 020644, "", 1, 11),
            new CpioReader.Entry("tmp", 041777, "", 0, 0),
            new CpioReader.Entry("usr", 040755, "", 0, 0),
            new CpioReader.Entry("usr/bin", 040755, "", 0, 0),
            new CpioReader.Entry("usr/bin/tool", 0100755, "from disk", 0, 0));
  }

  @Test
  void givesTheSameBytesInWhateverOrderItIsTold() throws IOException {
    CpioWriter one = new CpioWriter().file("b/x", 0600, bytes("x")).file("a", 0600, bytes("y"));
    CpioWriter other = new CpioWriter().file("a", 0600, bytes("y")).file("b/x", 0600, bytes("x"));

    assertThat(write(one)).isEqualTo(write(other));
  }

  @Test
  void aFolderThatIsSaidKeepsItsMode() throws IOException {
    List<CpioReader.Entry> entries =
        CpioReader.read(
            write(new CpioWriter().folder("root", 0700).file("root/x", 0600, bytes(""))));

    assertThat(entries).first().isEqualTo(new CpioReader.Entry("root", 040700, "", 0, 0));
  }

  @Test
  void refusesWhatIsNoPath() {
    for (String path : List.of("", "/", "a/", "a//b")) {
      assertThatThrownBy(() -> new CpioWriter().folder(path, 0755))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] write(CpioWriter writer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    writer.write(out);
    return out.toByteArray();
  }
}
