package io.twinkernel.broker.agent;

import io.twinkernel.broker.measure.Effort;
import io.twinkernel.broker.measure.Figures;
import io.twinkernel.broker.measure.JoinedNic;
import io.twinkernel.broker.measure.TcpWay;
import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Measures how fast messages get from A to B: over the link, by its doorbell and polling, and by
 * TCP where both have a NIC for it.
 */
final class LinkMeasurement {
  /** Of RFC 2544's addresses, which are for measuring and are nobody's. */
  private static final String A = "198.18.0.1";

  private static final String B = "198.18.0.2";
  private static final String PREFIX = "/30";

  /** Each of the measurements may take its time, and its warm-up as well. */
  private static final int POLLS = 8;

  private final LinkMeter meter;
  private final List<String> nics;

  /**
   * @param nics A's PCI function and B's, joined with each other; or none
   */
  LinkMeasurement(LinkMeter meter, List<String> nics) {
    this.meter = meter;
    this.nics = nics;
  }

  /** Measures each way; the figures are by its name. */
  Map<String, Object> run(Effort effort) throws BrokerException, InterruptedException {
    String what = "measuring the link";
    var figures = new LinkedHashMap<String, Object>();
    try {
      figures.put("doorbell", meter.measure(effort).toJson());
      meter.poll(Duration.ofNanos(effort.nanos() * POLLS));
      figures.put("polling", meter.measure(effort).toJson());
      meter.poll(Duration.ZERO);
      if (!nics.isEmpty()) {
        what = "measuring TCP by the NICs " + nics.getFirst() + " and " + nics.getLast();
        figures.put("tcp", tcp(effort).toJson());
      }
      return figures;
    } catch (IOException e) {
      throw new BrokerException(
          new Failure(
              "link-not-measured",
              what,
              e.getMessage() == null ? e.toString() : e.getMessage(),
              "read both consoles; an upgrade without measure_link does none of this",
              false),
          e);
    }
  }

  private Figures tcp(Effort effort) throws IOException, InterruptedException {
    try (var _ = JoinedNic.set(nics.getFirst(), InterfaceAddress.parse(A + PREFIX));
        var listener = ServerSocketChannel.open()) {
      listener.bind(new InetSocketAddress(A, 0));
      CompletableFuture<Fields> end =
          meter.ask(
              Map.of(
                  LinkAnswers.WHAT,
                  LinkAnswers.TCP,
                  LinkAnswers.FUNCTION,
                  nics.getLast(),
                  LinkAnswers.ADDRESS,
                  B + PREFIX,
                  LinkAnswers.TO,
                  A,
                  LinkAnswers.PORT,
                  listener.socket().getLocalPort()));
      Figures figures = serve(listener, end, effort);
      var _ = LinkMeter.await(end);
      return figures;
    }
  }

  /** Ends also when B gives up, or is no more. */
  private static Figures serve(
      ServerSocketChannel listener, CompletableFuture<Fields> end, Effort effort)
      throws IOException, InterruptedException {
    var _ = end.whenComplete((_, _) -> close(listener));
    try (SocketChannel channel = listener.accept();
        var way = new TcpWay(channel)) {
      var _ = end.whenComplete((_, _) -> close(channel));
      return way.measure(effort);
    } catch (ClosedByInterruptException e) {
      throw new InterruptedException("measuring TCP");
    } catch (AsynchronousCloseException e) {
      var _ = LinkMeter.await(end);
      throw e;
    }
  }

  private static void close(Channel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      KernelLog.say("closing what TCP was measured by: " + e.getMessage());
    }
  }
}
