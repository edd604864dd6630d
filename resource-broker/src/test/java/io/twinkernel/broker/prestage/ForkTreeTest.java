package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes, a parent and a child that share memory, are forked while they work; the parent
 * ends with 9 if it notices a child that is none of its own.
 */
final class ForkTreeTest {
  private static final String PROGRAM =
      """
      #define _GNU_SOURCE
      #include <signal.h>
      #include <stdio.h>
      #include <sys/mman.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static volatile sig_atomic_t signals;
      static void on_child(int signal) { signals++; }
      int main(void) {
        char line[64];
        volatile long *shared =
            mmap(NULL, 1 << 20, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
        sigaction(SIGCHLD, &action, NULL);
        pid_t child = fork();
        if (child == 0) for (;;) { shared[0]++; usleep(500); }
        printf("%d\\n", (int)child);
        fflush(stdout);
        for (;;) {
          ssize_t got = read(0, line, 1);
          if (got < 0) _exit(9);
          if (got == 0) return 0;
          if (line[0] == 'e') {
            kill(child, SIGKILL);
            siginfo_t info;
            waitid(P_PID, child, &info, WEXITED | WNOWAIT);
          } else {
            /* Not even those that end without a signal. */
            if (signals || waitpid(-1, NULL, WNOHANG | __WALL)) _exit(9);
            long before = shared[0];
            while (shared[0] == before);
          }
          if (write(1, "ok\\n", 3) != 3) _exit(9);
        }
      }
      """;

  @TempDir Path work;

  /** What runs. */
  private record Program(
      Process shell, int pid, int child, BufferedReader output, OutputStream input)
      implements AutoCloseable {
    static Program start(Path work) throws Exception {
      Path source = Files.writeString(work.resolve("tree.c"), PROGRAM);
      String program = work.resolve("tree").toString();
      Process gcc =
          new ProcessBuilder("gcc", "-O1", "-o", program, source.toString()).inheritIO().start();
      assertThat(gcc.waitFor()).isZero();
      String orphan = "exec 3<&0; (setsid \"$0\" <&3 3<&- & echo \"$!\"); exec sleep infinity";
      Process shell = new ProcessBuilder("/bin/sh", "-c", orphan, program).start();
      BufferedReader output = shell.inputReader(StandardCharsets.US_ASCII);
      int pid = Integer.parseInt(output.readLine());
      int child = Integer.parseInt(output.readLine());
      return new Program(shell, pid, child, output, shell.getOutputStream());
    }

    SourceProcess fork(int one) throws Exception {
      return SourceProcess.fork(one, "", Set.of(pid, child), SyscallWatch.possible());
    }

    void says(char request) throws Exception {
      input.write(request);
      input.flush();
      assertThat(output.readLine()).isEqualTo("ok");
    }

    @Override
    public void close() throws IOException {
      for (int one : List.of(pid, child)) {
        if (Processes.killIfThere(one, Linux.SIGKILL())) {
          Reaping.await(one);
        }
      }
      shell.destroyForcibly();
    }
  }

  @Test
  void neitherNoticesAnything() throws Exception {
    try (var program = Program.start(work)) {
      for (int i = 0; i < 5; i++) {
        try (var parent = program.fork(program.pid());
            var child = program.fork(program.child())) {
          ForkedProcess first = parent.forked().orElseThrow();
          ForkedProcess second = child.forked().orElseThrow();
          assertThat(first.parent()).isZero();
          assertThat(second.parent()).isEqualTo(program.pid());
          assertThat(second.session()).isEqualTo(program.pid());
          assertThat(Processes.shareParts(program.pid(), program.child())).isFalse();
          assertThat(Processes.shareParts(program.pid(), program.pid())).isTrue();
          for (ForkedProcess one : List.of(first, second)) {
            assertThat(ProcessTree.read(one.fork()).state()).isEqualTo('T');
            assertThat(ProcessTree.read(one.fork()).parent()).isEqualTo(1);
            assertThat(MemoryShape.of(0, MemoryMap.read(one.fork())))
                .isEqualTo(MemoryShape.of(0, MemoryMap.read(one.pid())));
          }
          assertThat(SourceProcess.children(program.pid(), List.of(program.pid())))
              .containsExactly(program.child());
          assertThat(SourceProcess.children(program.child(), List.of(program.child()))).isEmpty();
          program.says('x');
          parent.endFork();
          child.endFork();
          program.says('x');
          assertThat(parent.restructured(Steps.UNTOLD)).isEmpty();
          assertThat(child.restructured(Steps.UNTOLD)).isEmpty();
        }
      }
      assertThat(SysFiles.read("/proc/" + program.child() + "/status"))
          .contains("SigBlk:\t0000000000000000");
    }
  }

  @Test
  void whoseChildDoesNotMoveIsRefused() throws Exception {
    try (var program = Program.start(work)) {
      assertThatThrownBy(() -> SourceProcess.fork(program.pid(), "", Set.of(program.pid()), false))
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("child " + program.child());
      assertThatThrownBy(
              () -> SourceProcess.fork(program.child(), "", Set.of(program.child()), false))
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("session");
      program.says('x');
    }
  }

  /** It waits for its parent to learn of it, and a copy would wait for ever. */
  @Test
  void whoseChildHasEndedIsRefused() throws Exception {
    try (var program = Program.start(work)) {
      program.says('e');
      assertThatThrownBy(() -> SourceProcess.fork(program.pid(), "", Set.of(program.pid()), false))
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("has ended");
    }
  }
}
