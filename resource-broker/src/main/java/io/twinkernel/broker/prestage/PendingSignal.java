package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A signal that waits for a stopped process, or for its first thread alone.
 *
 * @param whole whether for the process
 * @param info its {@code siginfo_t}
 */
record PendingSignal(boolean whole, byte[] info) {
  int number() {
    return ByteBuffer.wrap(info).order(ByteOrder.nativeOrder()).getInt();
  }

  /** Has a stopped copy, which is traced meanwhile and blocks it, send it to itself. */
  void send(int pid, TraceeCalls calls) throws IOException {
    String subject = "signal " + number() + " of process " + pid;
    long at = calls.put(info);
    if (whole) {
      int call = Linux.__NR_rt_sigqueueinfo();
      calls.call("rt_sigqueueinfo", subject, call, pid, number(), at);
    } else {
      int call = Linux.__NR_rt_tgsigqueueinfo();
      calls.call("rt_tgsigqueueinfo", subject, call, pid, pid, number(), at);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PendingSignal signal
        && whole == signal.whole
        && Arrays.equals(info, signal.info);
  }

  @Override
  public int hashCode() {
    return Objects.hash(whole, Arrays.hashCode(info));
  }

  @Override
  public String toString() {
    return "signal " + number() + (whole ? "" : " of the first thread");
  }
}
