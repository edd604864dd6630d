package io.twinkernel.broker.prestage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
    286, 287, // timerfd_settime, timerfd_gettime: asked for at the switch
    34, 130, // pause, rt_sigsuspend: what they mask for a while they mask anew
    40, 44, 45, 46, 307, // sendfile, sendto, recvfrom, sendmsg, sendmmsg
    24, 35, 202, 230, 449, // sched_yield, nanosleep, futex, clock_nanosleep, futex_waitv
    15, 219, 14, 127, // rt_sigreturn, restart_syscall, rt_sigprocmask, rt_sigpending
    96, 201, 228, 229, 100, 98, 99, 318, // clocks, times, getrusage, sysinfo, getrandom
    36, 39, 186, 110, 102, 104, 107, 108, 111, 121, 124, // getitimer, who am I
    4, 5, 6, 21, 262, 332, 269, 439, 89, 267, 79, 217, 78, 137, 138, // stat and the like
    8, 74, 75, 26, 306, 277, 77, 285,
    221, // lseek, fsync, fdatasync, msync, ftruncate, fallocate, fadvise
    82, 83, 84, 86, 87, 88, 258, 263, 264, 265, 266, 316, // rename, mkdir, link: names are compared
    51, 52, 55, 309, 97, 145, 143, // getsockname, getsockopt, getcpu, limits
    203, 204, // setaffinity, getaffinity: asked for after the switch
    62, 200, 234, 61, 247, // kill and wait: who is there is compared
  };

  /** What they change is compared at the switch, or carried over. */
  private static final int[] COMPARED = {
    2, 85, 257, 437, 3, 436, 32, 33, 292, // open, close, dup
    41, 53, 43, 288, 22, 293, 284, 290, 213, 291, // socket, accept, pipe, eventfd, epoll_create
    283, // timerfd_create
    49, 42, // bind, connect: of new sockets, or looked at
    233, // epoll_ctl
    10, 11, 12, 27, // mprotect, munmap, brk, mincore
    37, // alarm
    57, 58, 60, 231, 435, // fork, exit, clone3
  };

  /**
   * What nobody need be told of a thread that is not known yet: that it is there is seen, and what
   * it opened and mapped. The others of {@link #COMPARED} set what is not compared at each look.
   */
  private static final int[] SEEN = {
    2, 85, 257, 437, 3, 436, 32, 33, 292, // open, close, dup
    41, 53, 43, 288, 22, 293, 284, 290, 213, 291, 283, // socket, accept, pipe, eventfd, epoll
    233, 10, 11, 12, 27, // epoll_ctl, mprotect, munmap, brk, mincore
    57, 58, 60, 231, // fork, exit
    101, 312, 310, 311, 424, 434, 438, // ptrace and the like, of others
  };

  private static final int CLONE = 56;
  private static final int CLONE3 = 435;
  private static final int EXIT = 60;
  private static final int EXECVE = 59;
  private static final int EXECVEAT = 322;
  private static final int MADVISE = 28;
  private static final int FCNTL = 72;
  private static final int RECVMSG = 47;

  /** What a child that shares it does to signal handlers, it does to its parent's. */
  private static final int CLONE_SIGHAND = 0x800;

  /** What shares them is a thread: its calls are looked at as those of the others are. */
  private static final int CLONE_THREAD = 0x10000;

  /** mmap, mprotect, munmap, brk, mremap. */
  private static final int[] MAPS = {9, 10, 11, 12, 25};

  private static final int MADV_DONTNEED = 4;
  private static final int MADV_PAGEOUT = 21;

  /** MADV_* that change content only: NORMAL to DONTNEED, FREE, COLD, PAGEOUT, POPULATE_*. */
  private static final int[] ADVICE = {0, 1, 2, 3, 4, 8, 20, 21, 22, 23};

  /** F_GETFD, F_GETFL, F_GETLK. */
  private static final int[] FCNTL_READS = {1, 3, 5};

  /** F_SETFD, F_SETFL. */
  private static final int[] FCNTL_SETS = {2, 4};

  /** F_DUPFD, F_DUPFD_CLOEXEC. */
  private static final int[] FCNTL_COPIES = {0, 1030};

  private static final int MMAP = 9;
  private static final int MREMAP = 25;

  /**
   * MAP_* after which an area is what {@code /proc/PID/maps} tells: SHARED, PRIVATE, FIXED,
   * ANONYMOUS, DENYWRITE, EXECUTABLE, NORESERVE, POPULATE, NONBLOCK, STACK, FIXED_NOREPLACE.
   */
  private static final int MMAP_SEEN = 0x13d833;

  private static final int MREMAP_MAYMOVE = 1;

  private static final int CONNECT = 42;
  private static final int BIND = 49;
  private static final int SHUTDOWN = 48;

  /** Leaves no trace that could be seen from outside. */
  private static final int SHUT_RD = 0;

  private static final int IOCTL = 16;
  private static final int SETSOCKOPT = 54;

  /** FIONBIO, FIOCLEX, FIONCLEX. */
  private static final int[] IOCTL_SETS = {0x5421, 0x5451, 0x5450};

  /** Likewise, and FIONREAD and TCGETS, which only ask. */
  private static final int[] IOCTLS = {0x5421, 0x5451, 0x5450, 0x541b, 0x5401};

  private static final int ALARM = 37;
  private static final int SETITIMER = 38;
  private static final int ITIMER_REAL = 0;

  private static final int SIGALTSTACK = 131;
  private static final int PRCTL = 157;

  /** PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER, PR_GET_TID_ADDRESS. */
  private static final int[] PRCTL_READS = {2, 37, 40};

  /** PR_SET_PDEATHSIG, PR_SET_NAME. */
  private static final int[] PRCTL_OF_THREAD = {1, 15};

  private static final int SET_TID_ADDRESS = 218;
  private static final int SET_ROBUST_LIST = 273;
  private static final int RSEQ = 334;
  private static final int SETPRIORITY = 141;
  private static final int SCHED_SETPARAM = 142;
  private static final int SCHED_SETSCHEDULER = 144;
  private static final int SCHED_SETATTR = 314;
  private static final int PRIO_PROCESS = 0;

  private HarmlessCalls() {}

  /**
   * A tracefs filter that lets all other calls of some threads pass, and of what is younger all but
   * those that can be seen.
   *
   * @param youngest number of what was there before
   */
  static String filter(Collection<Integer> threads, int youngest) {
    String known = anyOf("common_pid", threads.stream().mapToInt(Integer::intValue).toArray());
    String unknown = "(common_pid > " + youngest + " && " + noneOf("id", SEEN) + ")";
    return "(" + known + " || " + unknown + ") && " + noneOf("id", DATA);
  }

  private static String anyOf(String field, int[] numbers) {
    return ranges(numbers).stream()
        .map(
            range ->
                range.first == range.last
                    ? field + " == " + range.first
                    : "(%1$s >= %2$d && %1$s <= %3$d)".formatted(field, range.first, range.last))
        .collect(Collectors.joining(" || "));
  }

  private static String noneOf(String field, int[] numbers) {
    return ranges(numbers).stream()
        .map(
            range ->
                range.first == range.last
                    ? field + " != " + range.first
                    : "(%1$s < %2$d || %1$s > %3$d)".formatted(field, range.first, range.last))
        .collect(Collectors.joining(" && "));
  }

  /** Numbers that follow one another. */
  private record Range(int first, int last) {}

  private static List<Range> ranges(int[] numbers) {
    var ranges = new ArrayList<Range>();
    for (int number : Arrays.stream(numbers).sorted().distinct().toArray()) {
      if (!ranges.isEmpty() && ranges.getLast().last == number - 1) {
        ranges.addLast(new Range(ranges.removeLast().first, number));
      } else {
        ranges.addLast(new Range(number, number));
      }
    }
    return ranges;
  }

  /**
   * Whether a call is harmless.
   *
   * @param shared areas of shared memory: what the process wrote there cannot be seen any more when
   *     it has dropped its entries for them
   */
  static boolean are(SystemCall call, Collection<MemoryMap.Area> shared) {
    return isHarmless(call) && !drops(call, shared);
  }

  /** Whether it is one by which the process may have got a thread. */
  static boolean begins(SystemCall call) {
    return call.number() == CLONE3
        || (call.number() == CLONE && (call.first() & CLONE_THREAD) != 0);
  }

  /** Whether the caller ends, and its process does not. */
  static boolean ends(SystemCall call) {
    return call.number() == EXIT;
  }

  /** Whether the caller goes on with another program: it is no thread of a process that lives. */
  static boolean executes(SystemCall call) {
    return call.number() == EXECVE || call.number() == EXECVEAT;
  }

  /**
   * Whether it sets nothing but what a thread is asked for, itself or another one: {@link
   * KernelAttributes}.
   *
   * @return the thread; empty if it does not
   */
  static Optional<Integer> ofThread(SystemCall call) {
    int named =
        switch (call.number()) {
          case SET_TID_ADDRESS, SET_ROBUST_LIST, RSEQ -> 0;
          case SIGALTSTACK -> call.first() == 0 ? -1 : 0;
          case PRCTL -> contains(PRCTL_OF_THREAD, (int) call.first()) ? 0 : -1;
          case SETPRIORITY -> call.first() == PRIO_PROCESS ? (int) call.second() : -1;
          case SCHED_SETPARAM, SCHED_SETSCHEDULER, SCHED_SETATTR -> (int) call.first();
          default -> -1;
        };
    return named < 0 ? Optional.empty() : Optional.of(named == 0 ? call.caller() : named);
  }

  /** Whether it sets options, flags or addresses of the descriptor that is its first argument. */
  static boolean set(SystemCall call) {
    return switch (call.number()) {
      case SETSOCKOPT, CONNECT, BIND, SHUTDOWN -> true;
      case FCNTL -> contains(FCNTL_SETS, (int) call.second());
      case IOCTL -> contains(IOCTL_SETS, (int) call.second());
      default -> false;
    };
  }

  /** Whether it may lay memory out otherwise. */
  static boolean map(SystemCall call) {
    return contains(MAPS, call.number());
  }

  /** Whether it sets the interval timer that goes over. */
  static boolean timer(SystemCall call) {
    return call.number() == ALARM || call.number() == SETITIMER;
  }

  private static boolean drops(SystemCall call, Collection<MemoryMap.Area> shared) {
    if (call.number() != MADVISE
        || (call.third() != MADV_DONTNEED && call.third() != MADV_PAGEOUT)) {
      return false;
    }
    for (MemoryMap.Area area : shared) {
      if (area.meets(call.first(), call.second())) {
        return true;
      }
    }
    return false;
  }

  private static boolean isHarmless(SystemCall call) {
    return switch (call.number()) {
      case SHUTDOWN -> call.second() != SHUT_RD;
      case MMAP -> (call.fourth() & ~MMAP_SEEN) == 0;
      case MREMAP -> !moves(call);
      case SETSOCKOPT -> ConnectionOptions.isKnown((int) call.second(), (int) call.third());
      case IOCTL -> contains(IOCTLS, (int) call.second());
      case CLONE -> (call.first() & CLONE_SIGHAND) == 0 || begins(call);
      case MADVISE -> contains(ADVICE, (int) call.third());
      case FCNTL ->
          contains(FCNTL_READS, (int) call.second())
              || contains(FCNTL_SETS, (int) call.second())
              || contains(FCNTL_COPIES, (int) call.second());
      case SETITIMER -> (int) call.first() == ITIMER_REAL;
      case SIGALTSTACK -> call.first() == 0; // only asks
      case PRCTL -> contains(PRCTL_READS, (int) call.first());
      case RECVMSG -> true; // a descriptor that came along would show
      default -> contains(DATA, call.number()) || contains(COMPARED, call.number());
    };
  }

  /**
   * Whether an mremap(2) may move pages: where it moves a whole table of them, none of them is
   * marked as changed (move_normal_pmd(), mm/mremap.c).
   */
  private static boolean moves(SystemCall call) {
    boolean grows = Long.compareUnsigned(call.third(), call.second()) > 0;
    return call.fourth() != 0 && (call.fourth() != MREMAP_MAYMOVE || grows);
  }

  private static boolean contains(int[] numbers, int number) {
    for (int one : numbers) {
      if (one == number) {
        return true;
      }
    }
    return false;
  }
}
