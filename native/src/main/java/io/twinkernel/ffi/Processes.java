package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Signals to processes, and their open files. */
public final class Processes {
  private static final long SELF = ProcessHandle.current().pid();

  private Processes() {}

  /**
   * {@code kill(2)}.
   *
   * @param signal SIG*; 0 only asks whether the process is there
   */
  public static void kill(int pid, int signal) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_kill(), pid, signal, 0, 0);
    if (result < 0) {
      throw SyscallException.of("kill", pid + ", " + signal, result);
    }
  }

  /**
   * {@code pidfd_open(2)}: names the process for good, even when its pid is given away again.
   *
   * @return polls readable once the process is gone
   */
  public static Fd open(int pid) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_pidfd_open(), pid, 0, 0, 0);
    if (result < 0) {
      throw SyscallException.of("pidfd_open", Integer.toString(pid), result);
    }
    return new Fd(result, "process " + pid);
  }

  /**
   * As {@link #kill}.
   *
   * @return false if there is no such process (ESRCH)
   */
  public static boolean killIfThere(int pid, int signal) throws SyscallException {
    try {
      kill(pid, signal);
      return true;
    } catch (SyscallException e) {
      return goneOrThrow(e);
    }
  }

  /**
   * As {@link #signal}.
   *
   * @return false if the process has ended (ESRCH)
   */
  public static boolean signalIfThere(Fd process, int signal) throws SyscallException {
    try {
      signal(process, signal);
      return true;
    } catch (SyscallException e) {
      return goneOrThrow(e);
    }
  }

  private static boolean goneOrThrow(SyscallException e) throws SyscallException {
    if (e.errno().equals(Errno.ESRCH)) {
      return false;
    }
    throw e;
  }

  /** {@code pidfd_send_signal(2)} to a process from {@link #open}. */
  public static void signal(Fd process, int signal) throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_pidfd_send_signal(),
            process.number(),
            signal,
            MemorySegment.NULL.address(),
            0);
    if (result < 0) {
      throw SyscallException.of("pidfd_send_signal", process.label() + ", " + signal, result);
    }
  }

  /**
   * {@code pidfd_getfd(2)}: opens what another process has open, the same open file.
   *
   * @param process from {@link #open}
   * @param descriptor its number there
   */
  public static Fd descriptor(Fd process, int descriptor) throws SyscallException {
    String label = process.label() + " fd " + descriptor;
    long result = NativeCall.system(Linux.__NR_pidfd_getfd(), process.number(), descriptor, 0, 0);
    if (result < 0) {
      throw SyscallException.of("pidfd_getfd", label, result);
    }
    return new Fd(result, label);
  }

  /**
   * {@link #descriptor} of several, in one go.
   *
   * @param process from {@link #open}
   * @return in the order of their numbers there
   * @throws SyscallException if one of them cannot be had; then none is
   */
  public static List<Fd> descriptors(Fd process, List<Integer> descriptors)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, descriptors.size(), 0);
      for (int descriptor : descriptors) {
        var _ =
            batch.add(
                "pidfd_getfd",
                process.label() + " fd " + descriptor,
                Linux.__NR_pidfd_getfd(),
                process.number(),
                descriptor,
                0,
                0,
                0,
                0);
      }
      try {
        batch.run();
      } catch (SyscallException e) {
        closeAll(batch, descriptors.size(), e);
        throw e;
      }
      var opened = new ArrayList<Fd>(descriptors.size());
      for (int call = 0; call < descriptors.size(); call++) {
        opened.add(new Fd(batch.result(call), process.label() + " fd " + descriptors.get(call)));
      }
      return opened;
    }
  }

  /** What was opened before one could not be: a number above 0, which this process always has. */
  private static void closeAll(CallBatch batch, int calls, SyscallException reason) {
    for (int call = 0; call < calls; call++) {
      if (batch.result(call) > 0) {
        try {
          new Fd(batch.result(call), "a descriptor").close();
        } catch (SyscallException e) {
          reason.addSuppressed(e);
        }
      }
    }
  }

  /**
   * Adds {@code readlinkat(2)} of what a descriptor is.
   *
   * @param folder {@code /proc/PID/fd}
   * @param place receives the link, without a 0 at its end
   * @return which call it is; its result is the link's length
   */
  public static int target(CallBatch batch, Fd folder, int descriptor, int place, int length) {
    byte[] name = (descriptor + "\0").getBytes(StandardCharsets.US_ASCII);
    return batch.add(
        "readlinkat",
        folder.label(),
        Linux.__NR_readlinkat(),
        folder.number(),
        batch.address(batch.room(name)),
        batch.address(place),
        length,
        0,
        0);
  }

  /**
   * Where a thread keeps its robust futexes.
   *
   * @param head address of the list's head; 0 if it has none
   * @param length the head's size in bytes
   */
  public record RobustList(long head, long length) {}

  /** {@code get_robust_list(2)}. */
  public static RobustList robustList(int thread) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment both = arena.allocate(ValueLayout.JAVA_LONG, 2);
      long result =
          NativeCall.system(
              Linux.__NR_get_robust_list(),
              thread,
              both.address(),
              both.address() + Long.BYTES,
              0,
              0,
              0,
              both);
      if (result < 0) {
        throw SyscallException.of("get_robust_list", Integer.toString(thread), result);
      }
      return new RobustList(
          both.getAtIndex(ValueLayout.JAVA_LONG, 0), both.getAtIndex(ValueLayout.JAVA_LONG, 1));
    }
  }

  /**
   * Adds {@code kcmp(2)} of a descriptor of another process and one of this.
   *
   * @return which call it is; its result is 0 if they are the same open file
   */
  public static int compareFiles(CallBatch batch, Fd mine, int pid, int descriptor) {
    return batch.add(
        "kcmp",
        mine.label(),
        Linux.__NR_kcmp(),
        SELF,
        pid,
        Linux.KCMP_FILE(),
        mine.number(),
        descriptor,
        0);
  }

  /**
   * {@code kcmp(2)}: whether a descriptor of another process is the open file that {@code mine} is.
   * False, too, if it has no such descriptor.
   */
  public static boolean sameFile(Fd mine, int pid, int descriptor) throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_kcmp(),
            SELF,
            pid,
            Linux.KCMP_FILE(),
            mine.number(),
            descriptor,
            0,
            MemorySegment.NULL);
    if (result == -Errno.EBADF.number()) {
      return false;
    }
    if (result < 0) {
      throw SyscallException.of("kcmp", mine.label() + ", " + pid + ", " + descriptor, result);
    }
    return result == 0;
  }

  /** {@code kcmp(2)}: whether two descriptors are one open file. */
  public static boolean areOne(Fd one, Fd other) throws SyscallException {
    return sameFile(one, Math.toIntExact(SELF), other.number());
  }

  /**
   * {@code kcmp(2)}: whether two processes have one table of descriptors, one working directory and
   * root, or one memory, as those do that clone(2) made with CLONE_FILES, CLONE_FS or CLONE_VM.
   */
  public static boolean shareParts(int pid, int other) throws SyscallException {
    for (int part : List.of(Linux.KCMP_FILES(), Linux.KCMP_FS(), Linux.KCMP_VM())) {
      long result =
          NativeCall.system(Linux.__NR_kcmp(), pid, other, part, 0, 0, 0, MemorySegment.NULL);
      if (result < 0) {
        throw SyscallException.of("kcmp", pid + ", " + other + ", " + part, result);
      }
      if (result == 0) {
        return true;
      }
    }
    return false;
  }
}
