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

/** Whether a stopped process has the threads that it had, and which signals wait for it. */
final class ThreadStatus implements AutoCloseable {
  private static final String NO_SIGNALS = "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n";

  /** What one's own signals, and those of the process, are after. */
  private static final String OWN = "\nSigPnd:\t";

  private static final String PROCESS = "\nShdPnd:\t";

  /** What the size of the stack is after. */
  private static final String STACK = "\nVmStk:\t";

  /** By a signal (fs/proc/array.c). */
  private static final String STOPPED = "\nState:\tT (stopped)\n";

  /** So many bytes longer than it was at first one's status may be. */
  private static final int MORE = 256;

  private final int pid;
  private final Fd process;
  private final List<Integer> threads;
  private final boolean parent;
  private final List<Fd> files;
  private final Optional<ModuleThreads> module;
  private int most;
  private long own;
  private long whole;

  private ThreadStatus(
      int pid,
      Fd process,
      List<Integer> threads,
      boolean parent,
      List<Fd> files,
      Optional<ModuleThreads> module) {
    this.pid = pid;
    this.process = process;
    this.threads = threads;
    this.parent = parent;
    this.files = files;
    this.module = module;
  }

  /**
   * Of a process that has these threads now, or had them until just now.
   *
   * @param parent whether it has children, which are stopped when it is
   * @param module what tells of the same threads; empty: /proc is asked
   */
  static ThreadStatus of(
      int pid, List<Integer> threads, boolean parent, Optional<ModuleThreads> module)
      throws IOException {
    var files = new ArrayList<Fd>();
    var status = new ThreadStatus(pid, Processes.open(pid), threads, parent, files, module);
    try {
      for (int thread : threads) {
        status.add("/proc/" + pid + "/task/" + thread + "/status");
      }
      return status;
    } catch (IOException e) {
      status.close();
      throw e;
    }
  }

  /** Of one that has ended {@link #changed} will say so. */
  private void add(String path) throws IOException {
    try {
      files.add(Fd.open(path, Linux.O_RDONLY()));
      most = Math.max(most, SysFiles.read(path).length() + MORE);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ENOENT) && !e.errno().equals(Errno.ESRCH)) {
        throw e;
      }
    }
  }

  /** Which they are, the first one first. */
  List<Integer> threads() {
    return threads;
  }

  /** What is otherwise; empty if nothing is. */
  Optional<String> changed() throws IOException {
    own = 0;
    whole = 0;
    Optional<Integer> obstacle;
    if (module.isPresent()) {
      if (!module.get().read()) {
        return others();
      }
      obstacle = signalled(module.get());
    } else {
      List<String> read = read(files);
      if (!areAll(read, files)) {
        return others();
      }
      obstacle = signalled(read);
    }
    return obstacle.isPresent()
        ? Optional.of("a signal waits for thread " + obstacle.get())
        : Optional.empty();
  }

  private Optional<String> others() {
    return Optional.of("it has not the threads any more that it had, " + threads);
  }

  private Optional<Integer> signalled(ModuleThreads module) {
    for (int thread : threads) {
      if (!areCarried(thread, module.pending(thread), module.pending())) {
        return Optional.of(thread);
      }
    }
    return Optional.empty();
  }

  private Optional<Integer> signalled(List<String> read) {
    for (int i = 0; i < read.size(); i++) {
      String status = read.get(i);
      if (!status.contains(NO_SIGNALS)
          && !areCarried(threads.get(i), set(status, OWN), set(status, PROCESS))) {
        return Optional.of(threads.get(i));
      }
    }
    return Optional.empty();
  }

  /**
   * @param alone signals that wait for a thread
   * @param together those that wait for the process
   */
  private boolean areCarried(int thread, long alone, long together) {
    whole = together;
    if (parent) {
      // A child that is stopped with its parent tells it so (do_notify_parent_cldstop(),
      // kernel/signal.c), and one that had ended would not be the same child any more.
      whole &= ~PendingSignals.bit(Linux.SIGCHLD());
    }
    if (thread == pid) {
      own = alone;
    } else if (alone != 0) {
      return false;
    }
    return PendingSignals.areCarried(own | whole)
        && ((own | whole) & PendingSignals.bit(Linux.SIGCHLD())) == 0;
  }

  private static long set(String status, String after) {
    int at = status.indexOf(after) + after.length();
    return Long.parseUnsignedLong(status, at, at + Long.BYTES * 2, 16);
  }

  /** VmStk: of all areas that grow downwards. */
  long stackKilobytes() throws IOException {
    for (String status : read(files.subList(0, Math.min(1, files.size())))) {
      int at = status.indexOf(STACK) + STACK.length();
      int end = status.indexOf(" kB", at);
      return Long.parseLong(status.substring(at, end).strip());
    }
    throw new IOException("process " + pid + " has ended");
  }

  /** What {@link #changed} has seen wait; the process is stopped still, and nobody traces it. */
  List<PendingSignal> signals() throws IOException {
    return own == 0 && whole == 0 ? List.of() : PendingSignals.read(pid, own, whole);
  }

  /** For who stops the process. */
  CgroupFreezer.Watch stopping() {
    return new Stopping();
  }

  private final class Stopping implements CgroupFreezer.Watch {
    /** Those that have not stopped yet. */
    private List<Fd> running = files;

    @Override
    public int pid() {
      return pid;
    }

    @Override
    public boolean stop() throws IOException {
      return Processes.signalIfThere(process, Linux.SIGSTOP());
    }

    @Override
    public CgroupFreezer.Progress look() throws IOException {
      // The first thread is the busy one, mostly: until it has stopped, to ask the others is vain.
      CgroupFreezer.Progress first = look(1);
      return first == CgroupFreezer.Progress.STOPPED ? look(running.size()) : first;
    }

    /** At so many of those that have not stopped. */
    private CgroupFreezer.Progress look(int most) throws IOException {
      List<Fd> asked = running.subList(0, Math.min(most, running.size()));
      List<String> read = read(asked);
      if (!areAll(read, asked)) {
        return CgroupFreezer.Progress.UNKNOWN;
      }
      var left = new ArrayList<Fd>();
      for (int i = 0; i < asked.size(); i++) {
        if (!read.get(i).contains(STOPPED)) {
          left.add(asked.get(i));
        }
      }
      boolean stopped = left.isEmpty();
      left.addAll(running.subList(asked.size(), running.size()));
      running = left;
      return stopped ? CgroupFreezer.Progress.STOPPED : CgroupFreezer.Progress.RUNNING;
    }
  }

  private boolean areAll(List<String> read, List<Fd> of) {
    String count = "\nThreads:\t" + threads.size() + "\n";
    boolean all = read.size() == of.size() && files.size() == threads.size();
    for (String status : read) {
      all &= status.contains(count);
    }
    return all;
  }

  /** What the files say; nothing if the thread of one has ended. */
  private List<String> read(List<Fd> files) throws IOException {
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
