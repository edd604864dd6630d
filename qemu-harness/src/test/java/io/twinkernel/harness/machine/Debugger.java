package io.twinkernel.harness.machine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * QEMU's debugger stub, for what no command of its monitor can do: let one kernel hang. Speaks the
 * remote protocol of GDB (its manual, appendix E).
 */
final class Debugger implements AutoCloseable {
  /** GDB's numbers of registers of x86-64. */
  private static final String RIP = "10";

  private static final String EFLAGS = "11";
  private static final int INTERRUPT_FLAG = 1 << 9;

  /** jmp to itself. */
  private static final String LOOP = "ebfe";

  private final SocketChannel channel;
  private final InputStream in;
  private final OutputStream out;

  private Debugger(SocketChannel channel) {
    this.channel = channel;
    this.in = Channels.newInputStream(channel);
    this.out = Channels.newOutputStream(channel);
  }

  /** Attaches; the machine stands still until {@link #close}. */
  static Debugger attach(TestNode node, Path socket) throws IOException {
    node.monitor("gdbserver unix:" + socket + ",server=on,wait=off");
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return new Debugger(channel);
  }

  /** Has a CPU do nothing from now on, not even take interrupts; only INIT ends that. */
  void hang(int cpu) throws IOException {
    // Single registers are for whoever has read their description.
    ask("qXfer:features:read:target.xml:0,ffb");
    require("Hg" + (cpu + 1));
    byte[] at = reversed(HexFormat.of().parseHex(ask("p" + RIP)));
    require("M" + HexFormat.of().formatHex(at) + ",2:" + LOOP);
    byte[] flags = HexFormat.of().parseHex(ask("p" + EFLAGS));
    flags[1] &= (byte) ~(INTERRUPT_FLAG >> 8);
    require("P" + EFLAGS + "=" + HexFormat.of().formatHex(flags));
  }

  private static byte[] reversed(byte[] bytes) {
    var reversed = new byte[bytes.length];
    for (int at = 0; at < bytes.length; at++) {
      reversed[at] = bytes[bytes.length - 1 - at];
    }
    return reversed;
  }

  private void require(String packet) throws IOException {
    String answer = ask(packet);
    if (!answer.equals("OK")) {
      throw new IOException("the debugger stub answers '" + answer + "' to " + packet);
    }
  }

  private String ask(String packet) throws IOException {
    int sum = packet.chars().sum() & 0xff;
    out.write(String.format("$%s#%02x", packet, sum).getBytes(StandardCharsets.US_ASCII));
    out.flush();
    while (true) {
      until('$');
      String answer = until('#');
      in.readNBytes(2);
      out.write('+');
      out.flush();
      // That the machine stands still is told, too, when it does.
      if (!answer.startsWith("T")) {
        return answer;
      }
    }
  }

  private String until(char end) throws IOException {
    var text = new StringBuilder();
    for (int next = in.read(); next != end; next = in.read()) {
      if (next < 0) {
        throw new IOException("the debugger stub went away");
      }
      text.append((char) next);
    }
    return text.toString();
  }

  /** Detaches: the machine goes on. */
  @Override
  public void close() throws IOException {
    require("D");
    channel.close();
  }
}
