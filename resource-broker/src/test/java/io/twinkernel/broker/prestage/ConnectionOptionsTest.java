package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ConnectionOptionsTest {
  private static Fd tcp(int family) throws IOException {
    return Sockets.socket(family, Linux.SOCK_STREAM(), 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 10}) // AF_INET, AF_INET6
  void whatIsSetIsToldAndWhatIsNotIsLeftToTheOtherKernel(int family) throws Exception {
    try (Fd socket = tcp(family);
        Fd copy = tcp(family)) {
      assertThat(ConnectionOptions.of(socket, family, false)).isEmpty();

      Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_KEEPALIVE(), 1);
      Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_SNDBUF(), 50_000);
      Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_NODELAY(), 1);
      Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_KEEPINTVL(), 11);
      Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_USER_TIMEOUT(), 4711);
      Sockets.option(socket, Linux.IPPROTO_IP(), Linux.IP_TOS(), 0x10);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment reno = arena.allocateFrom("reno", StandardCharsets.US_ASCII);
        Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_CONGESTION(), reno);
      }
      if (family == Linux.AF_INET6()) {
        Sockets.option(socket, Linux.IPPROTO_IPV6(), Linux.IPV6_TCLASS(), 0x20);
      }
      var told = ConnectionOptions.of(socket, family, false);
      assertThat(told).hasSizeGreaterThanOrEqualTo(5);

      ConnectionOptions.set(copy, told);
      assertThat(ConnectionOptions.of(copy, family, false)).isEqualTo(told);
      assertThat(Sockets.option(copy, Linux.SOL_SOCKET(), Linux.SO_SNDBUF())).isEqualTo(100_000);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 10})
  void oneThatHasBeenToldOfOthersGetsAll(int family) throws Exception {
    try (Fd socket = tcp(family);
        Fd copy = tcp(family)) {
      Sockets.option(copy, Linux.IPPROTO_TCP(), Linux.TCP_CORK(), 1);
      Sockets.option(copy, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), 99);
      Sockets.option(copy, Linux.SOL_SOCKET(), Linux.SO_PRIORITY(), 3);
      Sockets.option(socket, Linux.IPPROTO_IP(), Linux.IP_TOS(), 0x10);
      ConnectionOptions.set(copy, ConnectionOptions.of(socket, family, true));
      assertThat(ConnectionOptions.of(copy, family, false))
          .isEqualTo(ConnectionOptions.of(socket, family, false));
    }
  }

  @Test
  void whatIsBoundToAnInterfaceIsRefused() throws Exception {
    try (Fd socket = tcp(Linux.AF_INET());
        Arena arena = Arena.ofConfined()) {
      MemorySegment loopback = arena.allocateFrom("lo", StandardCharsets.US_ASCII);
      Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_BINDTODEVICE(), loopback);
      assertThatThrownBy(() -> ConnectionOptions.of(socket, Linux.AF_INET(), false))
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("interface");
    }
  }

  @Test
  void anOptionThatIsNotCarriedIsNotKnown() {
    assertThat(ConnectionOptions.isKnown(Linux.IPPROTO_TCP(), Linux.TCP_NODELAY())).isTrue();
    assertThat(ConnectionOptions.isKnown(Linux.IPPROTO_TCP(), Linux.TCP_QUICKACK())).isTrue();
    assertThat(ConnectionOptions.isKnown(Linux.IPPROTO_TCP(), Linux.TCP_MAXSEG())).isFalse();
    assertThat(ConnectionOptions.isKnown(Linux.SOL_SOCKET(), Linux.SO_REUSEADDR())).isFalse();
  }
}
