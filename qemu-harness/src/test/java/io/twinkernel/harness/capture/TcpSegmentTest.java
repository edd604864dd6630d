package io.twinkernel.harness.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

final class TcpSegmentTest {
  private static final int ACKNOWLEDGED = 0x10_0000;
  private static final int HEAD = 54; // Ethernet, IPv4 and TCP without options

  /** RFC 2883, section 4: the first block is what came twice. */
  @Test
  void seesWhereTheOtherEndHadItAlready() {
    assertThat(parse(block(ACKNOWLEDGED - 28, ACKNOWLEDGED)).duplicate()).isTrue();
    assertThat(parse(block(ACKNOWLEDGED + 100, ACKNOWLEDGED + 200)).duplicate()).isFalse();
    ByteBuffer both = ByteBuffer.allocate(20).put((byte) 1).put((byte) 1).put((byte) 5);
    both.put((byte) 18).putInt(ACKNOWLEDGED + 120).putInt(ACKNOWLEDGED + 130);
    both.putInt(ACKNOWLEDGED + 100).putInt(ACKNOWLEDGED + 200);
    assertThat(parse(both.array()).duplicate()).isTrue();
    assertThat(parse(new byte[0]).duplicate()).isFalse();
  }

  @Test
  void optionsThatAreNoneHideNothing() {
    assertThat(parse(new byte[] {5, 0, 0, 0}).duplicate()).isFalse();
    assertThat(parse(new byte[] {1, 1, 5, 10}).duplicate()).isFalse();
    assertThat(parse(new byte[] {1, 1, 1, 8}).duplicate()).isFalse();
  }

  private static byte[] block(int left, int right) {
    return ByteBuffer.allocate(12).put(new byte[] {1, 1, 5, 10}).putInt(left).putInt(right).array();
  }

  private static TcpSegment parse(byte[] options) {
    ByteBuffer frame = ByteBuffer.allocate(HEAD + options.length);
    frame.putShort(12, (short) 0x0800).put(14, (byte) 0x45);
    frame.putShort(16, (short) (40 + options.length)).put(23, (byte) 6);
    frame.putInt(42, ACKNOWLEDGED).put(46, (byte) (((20 + options.length) / 4) << 4));
    frame.put(47, (byte) TcpSegment.ACK).put(HEAD, options);
    return TcpSegment.parse(new Frame(0, frame)).orElseThrow();
  }
}
