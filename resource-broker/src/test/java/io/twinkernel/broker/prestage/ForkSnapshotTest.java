package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process with threads is forked while it works; it ends with 9 if it notices. */
final class ForkSnapshotTest {
  private static final String PROGRAM =
      """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/prctl.h>
      #include <sys/time.h>
      #include <time.h>
      #include <unistd.h>
      static volatile long spins;
      static char own_stack[1 << 16];
      static void *sleeper(void *x) {
        prctl(PR_SET_NAME, "sleeps (well)");
        for (;;) {
          struct timespec t = {0, 3000000};
          if (nanosleep(&t, NULL)) _exit(9);
        }
      }
      static void *spinner(void *x) {
        stack_t s = {.ss_sp = own_stack, .ss_size = sizeof(own_stack)};
        sigaltstack(&s, NULL);
        nice(5);
        for (;;) {
          stack_t now;
          spins++;
          if (spins % 1000 == 0 && (sigaltstack(NULL, &now) || now.ss_sp != own_stack)) _exit(9);
        }
      }
      int main(int count, char **arguments) {
        char line[64];
        size_t size = 64 << 20;
        char *memory = mmap(NULL, size, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t thread;
        struct itimerval timer = {.it_value = {1000, 0}};
        memset(memory, 7, size);
        pthread_create(&thread, NULL, sleeper, NULL);
        pthread_create(&thread, NULL, spinner, NULL);
        if (count > 1) setitimer(ITIMER_REAL, &timer, NULL);
        printf("%p\\n", own_stack);
        fflush(stdout);
        for (;;) {
          ssize_t got = read(0, line, 1);
          if (got < 0) _exit(9); /* EINTR, too */
          if (got == 0) return 0;
          for (size_t i = 0; i < size; i += 4096)
            if (memory[i] != 7) _exit(9);
          long before = spins;
          while (spins == before);
          if (write(1, "ok\\n", 3) != 3) _exit(9);
        }
      }
      """;

  @TempDir Path work;

  /** What runs; it says where its memory is, and answers each byte. */
  private record Program(
      Process shell, int pid, long signalStack, BufferedReader output, OutputStream input)
      implements AutoCloseable {
    static Program start(Path work, String arguments) throws Exception {
      Path source = Files.writeString(work.resolve("program.c"), PROGRAM);
      String program = work.resolve("program").toString();
      Process gcc =
          new ProcessBuilder("gcc", "-O1", "-pthread", "-o", program, source.toString())
              .inheritIO()
              .start();
      assertThat(gcc.waitFor()).isZero();
      // An orphan, of which init takes care; the shell stays, for Java closes a pipe of who ended.
      String orphan =
          "exec 3<&0; (setsid \"$0\" "
              + arguments
              + " <&3 3<&- & echo \"$!\"); exec sleep infinity";
      Process shell = new ProcessBuilder("/bin/sh", "-c", orphan, program).start();
      BufferedReader output = shell.inputReader(StandardCharsets.US_ASCII);
      int pid = Integer.parseInt(output.readLine());
      long stack = Long.decode(output.readLine());
      return new Program(shell, pid, stack, output, shell.getOutputStream());
    }

    SourceProcess fork() throws Exception {
      return SourceProcess.fork(pid, "", Set.of(pid), SyscallWatch.possible());
    }

    void assertWorks() throws Exception {
      input.write('x');
      input.flush();
      assertThat(output.readLine()).isEqualTo("ok");
    }

    @Override
    public void close() throws IOException {
      if (Files.exists(Path.of("/proc/" + pid))) {
        Processes.kill(pid, Linux.SIGKILL());
        Reaping.await(pid);
      }
      shell.destroyForcibly();
    }
  }

  @Test
  void theProcessNoticesNothing() throws Exception {
    try (var program = Program.start(work, "")) {
      for (int i = 0; i < 5; i++) {
        try (var source = program.fork()) {
          assertThat(source.restructured(Steps.UNTOLD)).isEmpty();
          program.assertWorks();
          source.endFork();
          program.assertWorks();
          assertThat(source.restructured(Steps.UNTOLD)).isEmpty();
        }
      }
      assertThat(SysFiles.read("/proc/" + program.pid() + "/status"))
          .contains("SigBlk:\t0000000000000000");
    }
  }

  @Test
  void itsForkStandsStillAndIsLikeIt() throws Exception {
    try (var program = Program.start(work, "")) {
      try (var source = program.fork()) {
        ForkedProcess forked = source.forked().orElseThrow();
        assertThat(ProcessTree.read(forked.fork()).state()).isEqualTo('T');
        assertThat(forked.session()).isEqualTo(program.pid());
        assertThat(MemoryShape.of(0, MemoryMap.read(forked.fork())))
            .isEqualTo(MemoryShape.of(0, MemoryMap.read(program.pid())));
        assertThat(ProcessTree.read(forked.fork()).residentBytes()).isLessThan(16 << 20);

        assertThat(forked.threads())
            .extracting(ThreadAttributes::name)
            .containsExactlyInAnyOrder("program", "sleeps (well)", "program");
        assertThat(forked.threads()).hasSize(3);
        assertThat(forked.threads()).allMatch(t -> t.clearTid() != 0 && t.robustList() != 0);
        // Java's niceness is the program's.
        int nice = forked.threads().getFirst().scheduling().nice();
        ThreadAttributes spinner =
            forked.threads().stream()
                .filter(thread -> thread.stack().address() != 0)
                .findFirst()
                .orElseThrow();
        assertThat(spinner.stack().address()).isEqualTo(program.signalStack());
        assertThat(spinner.stack().bytes()).isEqualTo(1 << 16);
        assertThat(spinner.scheduling().nice()).isEqualTo(Math.min(nice + 5, 19));
        assertThat(source.longestStop()).isPositive();

        // What it did not inherit is all new to a copy.
        assertThat(source.memory().collect()).isGreaterThanOrEqualTo(64 << 20);
      }
    }
  }

  /** A broker that may not be urgent forks all the same, and tells. */
  @Test
  void isForkedWhereNobodyMayBeUrgent() throws Exception {
    try (var program = Program.start(work, "");
        var source = program.fork()) {
      assertThat(source.delay()).isEmpty();
      source.endFork();
      Process broker =
          new ProcessBuilder(
                  "setpriv",
                  "--bounding-set=-sys_nice",
                  "--inh-caps=-sys_nice",
                  ProcessHandle.current().info().command().orElseThrow(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Humble.class.getName(),
                  Integer.toString(program.pid()))
              .redirectErrorStream(true)
              .start();
      String said = new String(broker.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(broker.waitFor()).as(said).isZero();
      assertThat(said).contains("sched_setscheduler", "EPERM");
      program.assertWorks();
    }
  }

  /** Forks the process with that number and says what was refused. */
  static final class Humble {
    private Humble() {}

    public static void main(String[] arguments) throws IOException {
      int pid = Integer.parseInt(arguments[0]);
      try (var source = SourceProcess.fork(pid, "", Set.of(pid), false)) {
        System.out.println(source.delay().orElse("nothing was refused"));
        source.endFork();
      }
    }
  }

  @Test
  void aForkThatIsLeftBehindIsEnded() throws Exception {
    try (var program = Program.start(work, "")) {
      try (var source = program.fork()) {
        int fork = source.forked().orElseThrow().fork();
        SourceProcess.abandon(fork);
        // Its parent, init, sees to its number.
        assertThat(SysFiles.readIfThere("/proc/" + fork + "/stat").orElse(") Z")).contains(") Z");
        program.assertWorks();
      }
    }
  }

  @Test
  void aForkThatIsSetFreeDoesNothing() throws Exception {
    try (var program = Program.start(work, "")) {
      try (var source = program.fork()) {
        int fork = source.forked().orElseThrow().fork();
        Processes.kill(fork, Linux.SIGCONT());
        Reaping.await(fork);
        program.assertWorks();
      }
    }
  }

  @Test
  void whatAForkDoesNotInheritIsRefused() throws Exception {
    try (var program = Program.start(work, "timer")) {
      assertThatThrownBy(program::fork)
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("interval timer");
      program.assertWorks();
      assertThat(SysFiles.read("/proc/" + program.pid() + "/task/" + program.pid() + "/children"))
          .isBlank();
    }
  }
}
