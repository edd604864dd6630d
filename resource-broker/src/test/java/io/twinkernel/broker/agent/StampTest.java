package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Tsc;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class StampTest {

  @Test
  void saysWhenItWasMade() throws Exception {
    long before = Tsc.read();
    assertThat(Stamp.of(Stamp.now())).isBetween(before, Tsc.read());
  }

  @Test
  void anotherPayloadIsRefused() {
    assertThatThrownBy(() -> Stamp.of("{\"sent_tsc\":1}".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(ProtocolException.class);
    assertThatThrownBy(() -> Stamp.of(new byte[0])).isInstanceOf(ProtocolException.class);
  }
}
