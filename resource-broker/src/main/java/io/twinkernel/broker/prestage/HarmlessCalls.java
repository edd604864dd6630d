package io.twinkernel.broker.prestage;

import java.util.Arrays;
import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The system calls after which a staged process still is what it was, but for what is compared or
 * carried over at the switch: memory and its areas, registers, descriptors, connections, offsets,
 * threads and children. Every other call may have changed a state that only the kernel knows.
 */
final class HarmlessCalls {
  // Numbers of arch/x86/entry/syscalls/syscall_64.tbl, which never change.

  /** Data moves, or nothing does: the calls that a server makes all the time. */
  private static final int[] DATA = {
    0, 1, 17, 18, 19, 20, 295, 296, 327, 328, // read and write in all their forms
    7, 23, 232, 270, 271, 281, 441, // poll, select, epoll_wait
    34, 130, // pause, rt_sigsuspend: what they mask for a while they mask anew
    40, 44, 45, 46, 307, // sendfile, sendto, recvfrom, sendmsg, sendmmsg
    24, 35, 202, 230, 449, // sched_yield, nanosleep, futex, clock_nanosleep, futex_waitv
    15, 219, 14, 127, // rt_sigreturn, restart_syscall, rt_sigprocmask, rt_sigpending
    96, 201, 228, 229, 100, 98, 99, 318, // clocks, times, getrusage, sysinfo, getrandom
    36, 39, 186, 110, 102, 104, 107, 108, 111, 121, 124, // getitimer, who am I
    4, 5, 6, 21, 262, 332, 269, 439, 89, 267, 79, 217, 78, 137, 138, // stat and the like
    8, 74, 75, 26, 306, 277, 77, 285, // lseek, fsync, fdatasync, msync, ftruncate, fallocate
    51, 52, 55, 204, 309, 97, 145, 143, // getsockname, getsockopt, getaffinity, limits
    62, 200, 234, 61, 247, // kill and wait: who is there is compared
  };

  /** What they change is compared at the switch, or carried over. */
  private static final int[] COMPARED = {
    2, 257, 437, 3, 436, 32, 33, 292, // open, close, dup
    41, 53, 43, 288, 22, 293, 284, 290, 213, 291, // socket, accept, pipe, eventfd, epoll_create
    49, 42, 48, // bind, connect, shutdown: of new sockets; the state of the others is looked at
    233, // epoll_ctl
    9, 10, 11, 12, 25, 27, // mmap, mprotect, munmap, brk, mremap, mincore
    57, 58, 59, 60, 231, // fork, execve, exit
  };

  private static final int CLONE = 56;
  private static final int MADVISE = 28;
  private static final int FCNTL = 72;
  private static final int RECVMSG = 47;

  /** What a child that shares it does to signal handlers, it does to its parent's. */
  private static final int CLONE_SIGHAND = 0x800;

  /** The calls of {@link #COMPARED} by which a process gets a child. */
  private static final int[] FORKS = {CLONE, 57, 58};

  private static final int MADV_DONTNEED = 4;
  private static final int MADV_PAGEOUT = 21;

  /** MADV_* that change content only: NORMAL to DONTNEED, FREE, COLD, PAGEOUT, POPULATE_*. */
  private static final int[] ADVICE = {0, 1, 2, 3, 4, 8, 20, 21, 22, 23};

  /** F_GETFD, F_GETFL, F_GETLK. */
  private static final int[] FCNTL_READS = {1, 3, 5};

  private static final Pattern CALL = Pattern.compile("NR (-?\\d+) \\(([^)]*)\\)");

  private static final int SIGALTSTACK = 131;
  private static final int PRCTL = 157;

  /** PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER, PR_GET_TID_ADDRESS. */
  private static final int[] PRCTL_READS = {2, 37, 40};

  /**
   * A call that was made in a process's name.
   *
   * @param first its arguments, of which more do not matter
   */
  record Call(int number, long first, long second, long third) {
    private boolean is(int other, String[] arguments) {
      return number == other
          && arguments.length >= 3
          && first == Long.parseUnsignedLong(arguments[0], 16)
          && second == Long.parseUnsignedLong(arguments[1], 16)
          && third == Long.parseUnsignedLong(arguments[2], 16);
    }
  }

  private HarmlessCalls() {}

  /** A tracefs filter that lets all other calls of some threads pass. */
  static String filter(Collection<Integer> threads) {
    String callers =
        threads.stream().map(id -> "common_pid == " + id).collect(Collectors.joining(" || "));
    String calls =
        Arrays.stream(DATA)
            .distinct()
            .mapToObj(number -> "id != " + number)
            .collect(Collectors.joining(" && "));
    return "(" + callers + ") && " + calls;
  }

  /**
   * The first call in a trace that is not harmless.
   *
   * @param trace lines of {@code trace_pipe}
   * @param known calls that the process did not make itself, and which left it as it was
   * @param shared areas of shared memory: what the process wrote there cannot be seen any more when
   *     it has dropped its entries for them
   */
  static Optional<String> firstOther(
      String trace, Collection<Call> known, Collection<MemoryMap.Area> shared) {
    if (trace.contains("[LOST ")) {
      return Optional.of("more system calls than the trace buffer holds");
    }
    Matcher calls = CALL.matcher(trace);
    while (calls.find()) {
      int number = Integer.parseInt(calls.group(1));
      String[] arguments = calls.group(2).split(", ");
      boolean other = !harmless(number, arguments) || drops(number, arguments, shared);
      if (other && isNoneOf(known, number, arguments)) {
        return Optional.of("system call " + number + " (" + calls.group(2) + ")");
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a trace has a call by which the process may have got a child.
   *
   * @param known as in {@link #firstOther}
   */
  static boolean forks(String trace, Collection<Call> known) {
    Matcher calls = CALL.matcher(trace);
    while (calls.find()) {
      int number = Integer.parseInt(calls.group(1));
      if (contains(FORKS, number) && isNoneOf(known, number, calls.group(2).split(", "))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNoneOf(Collection<Call> known, int number, String[] arguments) {
    return known.stream().noneMatch(call -> call.is(number, arguments));
  }

  private static boolean drops(int number, String[] arguments, Collection<MemoryMap.Area> shared) {
    int advice = argument(arguments, 2);
    if (number != MADVISE || (advice != MADV_DONTNEED && advice != MADV_PAGEOUT)) {
      return false;
    }
    long start = Long.parseUnsignedLong(arguments[0], 16);
    long bytes = Long.parseUnsignedLong(arguments[1], 16);
    return shared.stream().anyMatch(area -> area.meets(start, bytes));
  }

  private static boolean harmless(int number, String[] arguments) {
    return switch (number) {
      case CLONE -> (argument(arguments, 0) & CLONE_SIGHAND) == 0;
      case MADVISE -> contains(ADVICE, argument(arguments, 2));
      case FCNTL -> contains(FCNTL_READS, argument(arguments, 1));
      case SIGALTSTACK -> argument(arguments, 0) == 0; // only asks
      case PRCTL -> contains(PRCTL_READS, argument(arguments, 0));
      case RECVMSG -> true; // a descriptor that came along would show
      default -> contains(DATA, number) || contains(COMPARED, number);
    };
  }

  private static int argument(String[] arguments, int index) {
    return index < arguments.length ? (int) Long.parseUnsignedLong(arguments[index], 16) : -1;
  }

  private static boolean contains(int[] numbers, int number) {
    return Arrays.stream(numbers).anyMatch(each -> each == number);
  }
}
