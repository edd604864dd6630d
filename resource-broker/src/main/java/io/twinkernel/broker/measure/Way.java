package io.twinkernel.broker.measure;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A way to the other kernel, as what measures it sees it. */
public interface Way {
  /** Payloads of a round trip, in bytes: one that fits a cache line, one of a page. */
  List<Integer> ROUND_TRIPS = List.of(64, 4096);

  /**
   * Records that go one way, in bytes: the largest that the link sums up, and one that it does not.
   */
  List<Integer> RECORDS = List.of(1 << 16, Pattern.LARGEST);

  /**
   * Sends payloads that come back, one at a time.
   *
   * @return how long each took, in ns, without the first ones
   * @throws AlteredException if one came back as another
   */
  long[] echo(int bytes, Effort effort) throws IOException, InterruptedException;

  /**
   * Sends records one after the other and waits until the other side has taken all.
   *
   * @throws AlteredException if the other side found other records than were sent
   */
  Figures.OneWay send(int recordBytes, Effort effort) throws IOException, InterruptedException;

  /** Measures all of it. */
  default Figures measure(Effort effort) throws IOException, InterruptedException {
    var roundTrips = new ArrayList<Figures.RoundTrip>();
    for (int bytes : ROUND_TRIPS) {
      roundTrips.add(Figures.RoundTrip.of(bytes, echo(bytes, effort)));
    }
    var oneWay = new ArrayList<Figures.OneWay>();
    for (int bytes : RECORDS) {
      oneWay.add(send(bytes, effort));
    }
    return new Figures(roundTrips, oneWay);
  }
}
