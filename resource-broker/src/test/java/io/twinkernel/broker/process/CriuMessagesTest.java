package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.CriuRequest.Connections;
import io.twinkernel.broker.process.CriuRequest.Directories;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The expected bytes are what {@code protoc --encode} makes with images/rpc.proto of CRIU 3.17.1.
 */
class CriuMessagesTest {

  private static final HexFormat HEX = HexFormat.of();

  @Test
  void requestsAreWhatProtocEncodes() {
    assertThat(
            HEX.formatHex(
                CriuRequest.dump(
                    5001,
                    new Directories(7, 8, "dump-3.log"),
                    "../pre1",
                    null,
                    true,
                    true,
                    Connections.KEPT,
                    CriuNetworkLock.NFTABLES)))
        .isEqualTo(
            "08011232080710892718012001280140014802520a64756d702d332e6c6f6772072e2e2f70726531"
                + "7801880108900200e8023c800402");
    assertThat(
            HEX.formatHex(
                CriuRequest.restore(
                    new Directories(300, 8, "restore-4.log"),
                    null,
                    Connections.KEPT,
                    CriuNetworkLock.IPTABLES)))
        .isEqualTo(
            "0802122608ac022001280140014802520d726573746f72652d342e6c6f67880108900200e8023c"
                + "800401");
    assertThat(
            HEX.formatHex(CriuRequest.preDump(5001, new Directories(7, 8, "pre-dump-1.log"), null)))
        .isEqualTo(
            "080d122808071089272001280140014802520e7072652d64756d702d312e6c6f677801880108"
                + "900200e8023c");
    assertThat(HEX.formatHex(CriuRequest.featureCheck())).isEqualTo("08092a0408011801");
    assertThat(HEX.formatHex(CriuRequest.version())).isEqualTo("080a");
  }

  @Test
  void aContainersMountsAreNamed() {
    var mounts =
        new ContainerMounts(
            Path.of("/opt/c/root"),
            1,
            Map.of("/proc/keys", "/dev/null", "/proc/kcore", "/dev/null"));
    assertThat(
            HEX.formatHex(
                CriuRequest.dump(
                    5001,
                    new Directories(7, 8, "dump-3.log"),
                    null,
                    mounts,
                    true,
                    true,
                    Connections.KEPT,
                    CriuNetworkLock.NFTABLES)))
        .isEqualTo(
            "08011265080710892718012001280140014802520a64756d702d332e6c6f677800880108900200"
                + "aa021c6d6e745b2f70726f632f6b636f72655d3a2f70726f632f6b636f7265"
                + "aa021a6d6e745b2f70726f632f6b6579735d3a2f70726f632f6b657973e8023c800402");
    assertThat(
            HEX.formatHex(
                CriuRequest.restore(
                    new Directories(300, 8, "restore-5.log"),
                    mounts,
                    Connections.KEPT,
                    CriuNetworkLock.NFTABLES)))
        .isEqualTo(
            "0802126c08ac022001280140014802520d726573746f72652d352e6c6f676a0b2f6f70742f632f"
                + "726f6f74880108900200aa021a6d6e745b2f70726f632f6b636f72655d3a2f6465762f6e756c6c"
                + "aa02196d6e745b2f70726f632f6b6579735d3a2f6465762f6e756c6ce8023c800402");
  }

  @Test
  void answersAreRead() throws Exception {
    assertThat(parse("080210012203088927"))
        .isEqualTo(new CriuResponse(true, 0, "", 5001, 0, false));
    assertThat(parse("080110001a02080038034a164572726f722028637269752f782e633a31293a206e6f"))
        .isEqualTo(new CriuResponse(false, 3, "Error (criu/x.c:1): no", 0, 0, false));
    assertThat(parse("080a1001520d080310111a0276332001320178"))
        .isEqualTo(new CriuResponse(true, 0, "", 0, 31701, false));
    assertThat(parse("080910014206080110001801"))
        .isEqualTo(new CriuResponse(true, 0, "", 0, 0, true));
  }

  @Test
  void cutOffAnswersAreRefused() {
    byte[] answer = HEX.parseHex("080110001a02080038034a164572726f722028637269752f782e633a31293a");
    assertThatThrownBy(() -> CriuResponse.parse(answer)).isInstanceOf(ProtocolException.class);
    assertThatThrownBy(() -> parse("08ffffffffffffffffffff01"))
        .isInstanceOf(ProtocolException.class);
    assertThatThrownBy(() -> parse("0b")).isInstanceOf(ProtocolException.class);
  }

  @Test
  void noAnswerCausesMoreThanARefusal() {
    Random random = new Random(11);
    int refused = 0;
    for (int i = 0; i < 5000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      try {
        CriuResponse.parse(bytes);
      } catch (ProtocolException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(1000);
  }

  @Test
  void numbersOfAnySizeComeBack() throws Exception {
    for (long number : new long[] {0, 1, 127, 128, 300, Integer.MAX_VALUE, Long.MAX_VALUE, -1}) {
      ProtobufReader in = new ProtobufReader(new ProtobufWriter().number(64, number).toByteArray());
      assertThat(in.next()).isTrue();
      assertThat(in.field()).isEqualTo(64);
      assertThat(in.number()).isEqualTo(number);
      assertThat(in.next()).isFalse();
    }
    byte[] cut = new ProtobufWriter().number(64, Long.MAX_VALUE).toByteArray();
    ProtobufReader in = new ProtobufReader(Arrays.copyOf(cut, cut.length - 1));
    assertThatThrownBy(in::next).isInstanceOf(ProtocolException.class);
  }

  @Test
  void theTailOfALogIsItsLastLines(@TempDir Path work) throws Exception {
    Path log = work.resolve("log");
    assertThat(Criu.tail(log)).isEmpty();
    for (String text : List.of("", "\n", "one", "one\n", "one\ntwo\n", "\none")) {
      assertThat(Criu.tail(Files.writeString(log, text))).isEqualTo(text);
    }
    String twenty = "a line\n".repeat(20);
    assertThat(Criu.tail(Files.writeString(log, twenty))).isEqualTo(twenty);
    assertThat(Criu.tail(Files.writeString(log, "before\nbefore\n" + twenty))).isEqualTo(twenty);
  }

  private static CriuResponse parse(String hex) throws ProtocolException {
    return CriuResponse.parse(HEX.parseHex(hex));
  }
}
