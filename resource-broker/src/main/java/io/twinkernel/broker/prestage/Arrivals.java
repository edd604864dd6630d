package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What comes to the descriptors of a stopped process without its help. */
final class Arrivals {
  /** Of what is asked of a socket, in bytes. */
  private static final int MOST = 64;

  private final CallBatch batch;
  private final List<Asked> asked;

  private record Asked(Looked looked, int place) {}

  private Arrivals(Arena arena, int count) {
    this.batch = new CallBatch(arena, count, count * MOST);
    this.asked = new ArrayList<>(count);
  }

  /**
   * One that may have got something.
   *
   * @param fd the same open file here
   */
  record Looked(int number, OpenFile file, Fd fd) {}

  /**
   * What has come, and is in the way.
   *
   * @param halves which connections that are half closed the other kernel can have
   * @return empty if nothing is
   */
  static Optional<String> first(List<Looked> all, HalfClosed halves) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var arrivals = new Arrivals(arena, all.size());
      for (Looked one : all) {
        arrivals.ask(one);
      }
      arrivals.batch.run();
      for (Asked one : arrivals.asked) {
        Optional<String> arrival = arrival(arrivals.batch.data(), one, halves);
        if (arrival.isPresent()) {
          return arrival;
        }
      }
      return Optional.empty();
    }
  }

  private void ask(Looked one) {
    switch (one.file().kind()) {
      case CONNECTION, LISTENER -> asked.add(new Asked(one, TcpRepair.info(batch, one.fd())));
      case QUEUE -> {
        if (one.file().counts()) {
          asked.add(new Asked(one, one.fd().ioctl(batch, Linux.FIONREAD(), Integer.BYTES)));
        }
      }
      case FILE, EPOLL, COUNTER, TIMER, OTHER -> {
        // Only its process does anything with it.
      }
    }
  }

  private static Optional<String> arrival(ByteBuffer data, Asked one, HalfClosed halves)
      throws IOException {
    int number = one.looked().number();
    OpenFile file = one.looked().file();
    int place = one.place();
    switch (file.kind()) {
      case CONNECTION -> {
        int state = TcpRepair.state(data, place);
        if (state != TcpRepair.ESTABLISHED && !halves.has(one.looked().fd(), state)) {
          return Optional.of(
              "connection " + number + " is in TCP state " + state + ": " + file.target());
        }
      }
      case LISTENER -> {
        int waiting = TcpRepair.backlog(data, place);
        if (waiting > 0) {
          return Optional.of(waiting + " connections wait to be accepted on " + number);
        }
      }
      case QUEUE -> {
        if (data.getInt(place) > 0) {
          return Optional.of("descriptor " + number + " has data in its queue");
        }
      }
      case FILE, EPOLL, COUNTER, TIMER, OTHER -> {
        // Nothing comes to it.
      }
    }
    return Optional.empty();
  }
}
