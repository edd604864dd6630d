package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ImageFindings;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The timerfds of processes that CRIU dumps and restores. It has them expire later by as long as
 * that takes, and those that expire again and again never, if they have while it dumps: they would
 * stop with the switch.
 */
public final class DumpedTimers {
  /** Beside CRIU's images, which this is none of. */
  private static final String FILE = "timers";

  private DumpedTimers() {}

  /**
   * Adds to the images when they expire.
   *
   * @param images of processes that are still stopped
   * @param timers theirs ({@link ImageFindings#timerFds}); at least one
   * @param here their numbers in this kernel by those in the images, where these are others
   */
  public static void save(
      Path images, List<ImageFindings.Descriptor> timers, Map<Integer, Integer> here)
      throws IOException {
    ByteBuffer out = ByteBuffer.allocate(timers.size() * (Integer.BYTES + TimerState.BYTES));
    try (var opened = new Opened()) {
      var open = new ArrayList<TimerState.Open>(timers.size());
      for (ImageFindings.Descriptor timer : timers) {
        Fd fd = opened.add(open(timer.process(), timer.number(), here));
        open.add(new TimerState.Open(timer.number(), fd));
      }
      List<TimerState> states = TimerState.of(open);
      for (int i = 0; i < states.size(); i++) {
        out.putInt(timers.get(i).process());
        states.get(i).write(out);
      }
    }
    Files.write(images.resolve(FILE), out.array());
  }

  /**
   * Has them expire when they would have.
   *
   * @param images that the processes were restored from; they are stopped
   * @param here as for {@link #save}, of this kernel
   */
  public static void set(Path images, Map<Integer, Integer> here) throws IOException {
    Path file = images.resolve(FILE);
    if (!Files.exists(file)) {
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
    try {
      while (in.hasRemaining()) {
        int process = in.getInt();
        TimerState state = TimerState.read(in);
        try (Fd timer = open(process, state.descriptor(), here)) {
          state.set(timer);
        }
      }
    } catch (BufferUnderflowException e) {
      throw new IOException("the timers beside the images are cut off", e);
    }
  }

  private static Fd open(int process, int number, Map<Integer, Integer> here) throws IOException {
    try (Fd opened = Processes.open(here.getOrDefault(process, process))) {
      return Processes.descriptor(opened, number);
    }
  }
}
