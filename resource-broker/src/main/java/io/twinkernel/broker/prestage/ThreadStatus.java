package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
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

  /** By a signal (fs/proc/array.c). */
  private static final String STOPPED = "\nState:\tT (stopped)\n";

  /** So many bytes longer than it was at first one's status may be. */
  private static final int MORE = 256;

  private final Fd process;
  private final List<Integer> threads;
  private final List<Fd> files;
  private int most;

  private ThreadStatus(Fd process, List<Integer> threads, List<Fd> files) {
    this.process = process;
    this.threads = threads;
    this.files = files;
  }

  /** Of a process that has these threads now. */
  static ThreadStatus of(int pid, List<Integer> threads) throws IOException {
    var files = new ArrayList<Fd>();
    var status = new ThreadStatus(Processes.open(pid), threads, files);
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
    List<String> read = read();
    if (!areAll(read)) {
      return Optional.of("it has not the threads any more that it had, " + threads);
    }
    for (int i = 0; i < read.size(); i++) {
      if (!read.get(i).contains(SIGNALS)) {
        return Optional.of("a signal waits for thread " + threads.get(i));
      }
    }
    return Optional.empty();
  }

  /** Signals the process to stop; false if it has ended. */
  boolean stop() throws IOException {
    try {
      Processes.signal(process, Linux.SIGSTOP());
      return true;
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.ESRCH)) {
        return false;
      }
      throw e;
    }
  }

  /** Whether the signal to stop has reached all threads. */
  CgroupFreezer.Progress stopped() throws IOException {
    List<String> read = read();
    if (!areAll(read)) {
      return CgroupFreezer.Progress.UNKNOWN;
    }
    for (String status : read) {
      if (!status.contains(STOPPED)) {
        return CgroupFreezer.Progress.RUNNING;
      }
    }
    return CgroupFreezer.Progress.STOPPED;
  }

  private boolean areAll(List<String> read) {
    String count = "\nThreads:\t" + threads.size() + "\n";
    boolean all = read.size() == threads.size();
    for (String status : read) {
      all &= status.contains(count);
    }
    return all;
  }

  /** What each thread's says; of fewer threads if one has ended. */
  private List<String> read() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, files.size(), files.size() * (most + Long.BYTES));
      var places = new ArrayList<Integer>(files.size());
      for (Fd file : files) {
        int place = batch.room(most);
        file.read(batch, place, most);
        places.add(place);
      }
      batch.run();
      var read = new ArrayList<String>(files.size());
      for (int i = 0; i < files.size(); i++) {
        int length = (int) batch.result(i);
        read.add(new String(batch.bytes(places.get(i), length), US_ASCII));
      }
      return read;
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.ESRCH)) {
        return List.of();
      }
      throw e;
    }
  }

  @Override
  public void close() throws SyscallException {
    process.close();
    for (Fd file : files) {
      file.close();
    }
  }
}
