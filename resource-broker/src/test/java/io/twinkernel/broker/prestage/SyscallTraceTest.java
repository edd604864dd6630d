package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class SyscallTraceTest {
  private static final int PAGE = 4096;

  /** In the kernel that the pages are from. */
  private static final SyscallTrace.Events EVENTS = new SyscallTrace.Events(346, 308, 24, 44);

  /** A page of a buffer of Linux 6.1: a process is followed, and forked. */
  private static byte[] page() throws IOException {
    return page("trace-page-6.1.hex");
  }

  private static byte[] page(String name) throws IOException {
    try (InputStream file =
        Objects.requireNonNull(SyscallTraceTest.class.getResourceAsStream(name))) {
      String text = new String(file.readAllBytes(), StandardCharsets.US_ASCII);
      byte[] used = HexFormat.of().parseHex(text.replace("\n", ""));
      return Arrays.copyOf(used, PAGE);
    }
  }

  private static boolean parse(byte[] page, Traced traced) throws IOException {
    return SyscallTrace.parse(ByteBuffer.wrap(page).order(ByteOrder.nativeOrder()), EVENTS, traced);
  }

  private static boolean parse(byte[] page, List<SystemCall> calls) throws IOException {
    return parse(page, new Traced(calls, new ArrayList<>()));
  }

  private static List<SystemCall> parse(byte[] page) throws IOException {
    var calls = new ArrayList<SystemCall>();
    parse(page, calls);
    return calls;
  }

  @Test
  void aRealPageIsRead() throws Exception {
    assertThat(parse(page()))
        .extracting(SystemCall::number)
        .containsExactly(41, 292, 3, 291, 292, 3, 233, 3, 3, 11, 2, 292, 3);
    assertThat(parse(page()).getFirst()).isEqualTo(new SystemCall(5056, 41, 2, 1, 0, 0));
  }

  /** A shell has two subshells run, one after the other, and executes a program. */
  @Test
  void birthsAreRead() throws Exception {
    Traced traced = Traced.none();
    assertThat(parse(page("trace-page-births-6.1.hex"), traced)).isFalse();
    assertThat(traced.births()).containsExactly(new Birth(5156, 5157), new Birth(5156, 5158));
    assertThat(traced.calls())
        .filteredOn(call -> call.number() == 56)
        .containsExactly(
            new SystemCall(5156, 56, 0x1200011, 0, 0, 0x72af690),
            new SystemCall(5156, 56, 0x1200011, 0, 0, 0x72af690));
    assertThat(traced.calls())
        .filteredOn(call -> call.number() == 231)
        .extracting(SystemCall::caller)
        .containsExactly(5157, 5158, 5156);
    assertThat(traced.calls().stream().filter(HarmlessCalls::executes)).hasSize(2);
  }

  @Test
  void otherEventsAreNone() throws Exception {
    Traced traced = Traced.none();
    var others = new SyscallTrace.Events(347, 309, 24, 44);
    SyscallTrace.parse(ByteBuffer.wrap(page()).order(ByteOrder.nativeOrder()), others, traced);
    assertThat(traced).isEqualTo(Traced.none());
  }

  @Test
  void whatWasDiscardedIsPassedOver() throws Exception {
    byte[] page = page();
    // The first event, of 64 bytes, becomes padding: of any length, which stands behind its header.
    ByteBuffer words = ByteBuffer.wrap(page).order(ByteOrder.nativeOrder());
    int at = 16;
    while ((words.getInt(at) & 31) != 16) {
      at += 8;
    }
    words.putInt(at, 1 << 5 | 29).putInt(at + 4, 64);
    assertThat(parse(page)).hasSize(12).first().extracting(SystemCall::number).isEqualTo(292);
    // Nothing follows padding without a time.
    words.putInt(at, 29);
    assertThat(parse(page)).isEmpty();
  }

  @Test
  void lostEventsAreNoticed() throws Exception {
    byte[] page = page();
    assertThat(parse(page, new ArrayList<>())).isFalse();
    page[11] |= (byte) 0x80;
    var calls = new ArrayList<SystemCall>();
    assertThat(parse(page, calls)).isTrue();
    assertThat(calls).hasSize(13);
  }

  @Test
  void aPageLongerThanAPageIsNone() throws Exception {
    byte[] page = page();
    page[9] = 0x7f;
    assertThatThrownBy(() -> parse(page)).isInstanceOf(IOException.class);
  }

  @RepeatedTest(300)
  void damageIsNoMoreThanAnException(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    byte[] page = page();
    for (int left = 1 + random.nextInt(8); left > 0; left--) {
      page[8 + random.nextInt(1000)] = (byte) random.nextInt();
    }
    try {
      assertThat(parse(page).size()).isLessThan(PAGE / 64);
    } catch (IOException damaged) {
      assertThat(damaged).hasMessageContaining("trace");
    }
  }
}
