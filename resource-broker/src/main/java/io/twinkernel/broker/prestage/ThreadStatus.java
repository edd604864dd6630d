package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether a stopped process has the threads that it had, and no signals wait for them. */
final class ThreadStatus implements AutoCloseable {
  private static final String SIGNALS = "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n";

  /** So many bytes longer than it was at first one's status may be. */
  private static final int MORE = 256;

  private final List<Integer> threads;
  private final List<Fd> files;
  private int most;

  private ThreadStatus(List<Integer> threads, List<Fd> files) {
    this.threads = threads;
    this.files = files;
  }

  /** Of a process that has these threads now. */
  static ThreadStatus of(int pid, List<Integer> threads) throws IOException {
    var files = new ArrayList<Fd>();
    var status = new ThreadStatus(threads, files);
    try {
      for (int thread : threads) {
        String path = "/proc/" + pid + "/task/" + thread + "/status";
        files.add(Fd.open(path, Linux.O_RDONLY()));
        status.most = Math.max(status.most, SysFiles.read(path).length() + MORE);
      }
      return status;
    } catch (IOException e) {
      status.close();
      throw e;
    }
  }

  /** What is otherwise; empty if nothing is. */
  Optional<String> changed() throws IOException {
    String count = "\nThreads:\t" + threads.size() + "\n";
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, files.size(), files.size() * (most + Long.BYTES));
      var places = new ArrayList<Integer>(files.size());
      for (Fd file : files) {
        int place = batch.room(most);
        file.read(batch, place, most);
        places.add(place);
      }
      batch.run();
      for (int i = 0; i < files.size(); i++) {
        int length = (int) batch.result(i);
        String status = new String(batch.bytes(places.get(i), length), US_ASCII);
        if (!status.contains(count)) {
          return Optional.of("it has not the threads any more that it had, " + threads);
        }
        if (!status.contains(SIGNALS)) {
          return Optional.of("a signal waits for thread " + threads.get(i));
        }
      }
      return Optional.empty();
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.ESRCH)) {
        return Optional.of("one of its threads has ended, of " + threads);
      }
      throw e;
    }
  }

  @Override
  public void close() throws SyscallException {
    for (Fd file : files) {
      file.close();
    }
  }
}
