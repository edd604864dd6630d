package io.twinkernel.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

  @ParameterizedTest
  @CsvSource({
    "10.99.0.2, 10.99.0.2",
    "255.255.255.255, 255.255.255.255",
    "0.0.0.0, 0.0.0.0",
    "::, ::",
    "::1, ::1",
    "fd00::2, fd00::2",
    "FE80:0:0:0:5054:ff:fe12:3456, fe80::5054:ff:fe12:3456",
    "1:0:0:2:0:0:0:3, 1:0:0:2::3",
    "1:2:3:4:5:6:7:0, 1:2:3:4:5:6:7:0",
    "1:2:3:4:5:6::, 1:2:3:4:5:6::",
    "0:0:3:4:5:6:7:8, ::3:4:5:6:7:8",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1"
  })
  void textIsReadAndWrittenAsInRfc5952(String text, String canonical) {
    assertThat(IpAddress.parse(text)).hasToString(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.-4",
        "1.2.3.+4",
        "1.2.3.",
        "1..2.3",
        ":",
        ":::",
        "1:2",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8::",
        "1:2:3:4:5:6:7:",
        "host"
      })
  void whatIsNoAddressIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> IpAddress.parse(text));
  }

  @Test
  void textAndBytesAgreeWithThePlatform() throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
      random.nextBytes(bytes);
      for (int zero = 0; zero < bytes.length; zero += 2) {
        if (random.nextInt(3) == 0) {
          bytes[zero] = 0;
          bytes[zero + 1] = 0;
        }
      }
      IpAddress address = IpAddress.of(bytes);
      assertThat(address.toBytes()).isEqualTo(bytes);
      assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
      InetAddress platform = InetAddress.getByName(address.toString());
      byte[] theirs = platform.getAddress();
      // An IPv4-mapped address is IPv4 to the platform.
      assertThat(bytes).endsWith(theirs);
    }
  }

  @Test
  void aNetworkHasNoBitsBehindItsPrefix() {
    assertThat(IpAddress.parse("10.99.3.2").network(22)).hasToString("10.99.0.0");
    assertThat(IpAddress.parse("10.99.3.2").network(32)).hasToString("10.99.3.2");
    assertThat(IpAddress.parse("10.99.3.2").network(0)).hasToString("0.0.0.0");
    assertThat(IpAddress.parse("fd00:1:2:3:4::5").network(64)).hasToString("fd00:1:2:3::");
    assertThat(IpAddress.parse("fd00:1:2:3:4::5").network(16)).hasToString("fd00::");
    assertThat(IpAddress.parse("fd00:1:2:3:4::5").network(80)).hasToString("fd00:1:2:3:4::");
    assertThat(IpAddress.parse("fd00::5").network(0)).hasToString("::");
  }
}
