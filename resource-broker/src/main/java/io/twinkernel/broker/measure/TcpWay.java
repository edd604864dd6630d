package io.twinkernel.broker.measure;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.SocketChannel;

/** A TCP connection to the other kernel, whose end there is {@link TcpAnswers}. */
public final class TcpWay implements Way, AutoCloseable {
  private final TcpMessages messages;

  public TcpWay(SocketChannel channel) throws IOException {
    this.messages = new TcpMessages(channel);
  }

  @Override
  public long[] echo(int bytes, Effort effort) throws IOException {
    var trips = new RoundTrips(effort, System.nanoTime());
    boolean enough = false;
    for (long number = 0; !enough; number++) {
      long sent = System.nanoTime();
      messages.send(TcpMessages.ECHO, Pattern.of(number, bytes));
      MemorySegment back = receive();
      long now = System.nanoTime();
      if (back.byteSize() != bytes || !Pattern.matches(number, back)) {
        throw new AlteredException("payload " + number + " came back over TCP as another");
      }
      enough = trips.add(sent, now);
    }
    return trips.nanos();
  }

  @Override
  public Figures.OneWay send(int recordBytes, Effort effort) throws IOException {
    long records = 0;
    long start = System.nanoTime();
    do {
      messages.send(TcpMessages.RECORD, Pattern.of(records, recordBytes));
      records++;
    } while (effort.more(records * recordBytes, start));
    messages.send(TcpMessages.END, MemorySegment.NULL);
    MemorySegment taken = receive();
    long took = System.nanoTime() - start;
    Tally.require(
        records,
        taken.get(ValueLayout.JAVA_LONG_UNALIGNED, 0),
        taken.get(ValueLayout.JAVA_LONG_UNALIGNED, Long.BYTES));
    return new Figures.OneWay(recordBytes, records * recordBytes, took);
  }

  private MemorySegment receive() throws IOException {
    return messages
        .receive()
        .orElseThrow(() -> new EOFException("the other kernel closed the connection"))
        .payload();
  }

  /** Lets the other side end, too. */
  @Override
  public void close() throws IOException {
    messages.close();
  }
}
