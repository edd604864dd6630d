package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.bindings.Linux;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process begins and ends threads while it works; a stopped shell does so after it. */
final class FollowedThreadsTest {
  private static final String PROGRAM =
      """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <sys/prctl.h>
      #include <unistd.h>
      static char own_stack[1 << 16];
      static volatile int over;
      static volatile int ready;
      static void *work(void *x) {
        stack_t s = {.ss_sp = own_stack, .ss_size = sizeof(own_stack)};
        prctl(PR_SET_NAME, "works (well)");
        prctl(PR_SET_PDEATHSIG, SIGUSR2);
        sigaltstack(&s, NULL);
        if (nice(3) == -99) _exit(8);
        ready++;
        while (!over) usleep(500);
        return NULL;
      }
      int main(void) {
        char line;
        pthread_t thread[8];
        int threads = 0;
        while (read(0, &line, 1) == 1) {
          if (line == '+') {
            int before = ready;
            if (pthread_create(&thread[threads++], NULL, work, NULL)) _exit(9);
            while (ready == before);
          } else {
            over = 1;
            while (threads) pthread_join(thread[--threads], NULL);
            over = 0;
          }
          if (write(1, "ok\\n", 3) != 3) _exit(9);
        }
        return 0;
      }
      """;

  private static final int READ_WRITE = 3;
  private static final int ANONYMOUS_FIXED = 0x32;

  @TempDir Path work;

  private Process program;
  private int pid;
  private BufferedReader output;
  private OutputStream input;
  private FollowedThreads threads;
  private StoppedShell shell;
  private StagedProcess copy;

  @BeforeEach
  void start() throws Exception {
    Path source = Files.writeString(work.resolve("program.c"), PROGRAM);
    String path = work.resolve("program").toString();
    Process gcc =
        new ProcessBuilder("gcc", "-O1", "-pthread", "-o", path, source.toString())
            .inheritIO()
            .start();
    assertThat(gcc.waitFor()).isZero();
    program = new ProcessBuilder(path).start();
    pid = (int) program.pid();
    output = program.inputReader(StandardCharsets.US_ASCII);
    input = program.getOutputStream();
    threads = new FollowedThreads(pid, List.of(pid), null);
    shell = StoppedShell.start();
    copy =
        StagedProcess.hold(shell.pid(), List.of(shell.pid()), List.of(), List.of(), List.of(), "");
  }

  @AfterEach
  void end() throws Exception {
    program.destroyForcibly();
    copy.close();
    shell.close();
  }

  private void command(char command) throws IOException {
    input.write(command);
    input.flush();
    assertThat(output.readLine()).isEqualTo("ok");
  }

  private ThreadChanges follow() throws IOException {
    threads.follow(false);
    assertThat(threads.areUntold()).isTrue();
    ThreadChanges changes = threads.tell().orElseThrow();
    assertThat(threads.areUntold()).isFalse();
    assertThat(threads.differ()).isFalse();
    threads.follow(false);
    assertThat(threads.areUntold()).isFalse();
    return ThreadChanges.fromBytes(changes.toBytes());
  }

  /** Numbers are free for the copy as soon as nobody has them. */
  private ThreadChanges followAndEnd() throws Exception {
    ThreadChanges changes = follow();
    program.destroyForcibly().waitFor();
    return new ThreadChanges(shell.pid(), List.of(), changes.begun(), List.of());
  }

  /** The kernel writes to the areas for restartable sequences: there must be such memory. */
  private void mapAreas(ThreadChanges changes) throws IOException {
    for (ThreadAttributes thread : changes.begun()) {
      long page = thread.restartable().orElseThrow().address() & -PageScan.PAGE;
      shell.call(Linux.__NR_mmap(), page, 2 * PageScan.PAGE, READ_WRITE, ANONYMOUS_FIXED, -1, 0);
    }
  }

  private ThreadAttributes attributes(int thread) throws IOException {
    ThreadRegisters.hold(thread);
    try {
      var remote = new RemoteCall(thread, shell.remote().instruction());
      long page = KernelAttributes.map(remote);
      try {
        return KernelAttributes.read(shell.pid(), remote, page);
      } finally {
        KernelAttributes.unmap(remote, page);
      }
    } finally {
      Ptrace.detach(thread);
    }
  }

  @Test
  void threadsThatComeAreAskedWhatTheyAre() throws Exception {
    threads.follow(false);
    assertThat(threads.tell()).isEmpty();
    command('+');
    command('+');
    assertThat(threads.differ()).isTrue();
    ThreadChanges changes = follow();
    assertThat(changes.ended()).isEmpty();
    assertThat(changes.others()).isEmpty();
    assertThat(changes.begun())
        .hasSize(2)
        .allMatch(thread -> thread.name().equals("works (well)"))
        .allMatch(thread -> thread.parentDeathSignal() == Linux.SIGUSR2())
        .allMatch(thread -> thread.stack().bytes() == 1 << 16)
        .allMatch(thread -> thread.clearTid() != 0 && thread.robustList() != 0);
    command('-');
    threads.follow(false);
    assertThat(threads.tellEnded().orElseThrow().ended())
        .containsExactlyElementsOf(changes.begun().stream().map(ThreadAttributes::thread).toList());
    assertThat(threads.tellEnded()).isEmpty();
    assertThat(threads.tell()).isEmpty();
  }

  @Test
  void onesThatComeAndGoAreNeverToldOf() throws Exception {
    command('+');
    threads.follow(false);
    assertThat(threads.now()).hasSize(2);
    command('-');
    threads.follow(false);
    assertThat(threads.now()).hasSize(1);
    assertThat(threads.tell()).isEmpty();
  }

  /** As they are when one has come since the last look before the gap. */
  @Test
  void stoppedOnesAreAskedAndGoOn() throws Exception {
    command('+');
    for (int times = 0; times < 5; times++) {
      command('+');
      Processes.kill(pid, Linux.SIGSTOP());
      Canary.awaitStopped(pid);
      threads.follow(true);
      ThreadChanges changes = threads.tell().orElseThrow();
      assertThat(changes.begun()).extracting(ThreadAttributes::name).contains("works (well)");
      for (int thread : threads.now()) {
        assertThat(ProcessTree.read(thread).state()).as("still stopped").isEqualTo('T');
      }
      Processes.kill(pid, Linux.SIGCONT());
    }
    command('-');
    threads.follow(false);
    assertThat(threads.now()).containsExactly(pid);
  }

  @Test
  void theCopyBeginsAndEndsThem() throws Exception {
    command('+');
    command('+');
    ThreadChanges changes = followAndEnd();
    mapAreas(changes);
    copy.takeThreads(changes);

    var wanted = new ArrayList<Integer>();
    wanted.add(shell.pid());
    for (ThreadAttributes thread : changes.begun()) {
      wanted.add(thread.thread());
      assertThat(ProcessTree.read(thread.thread()).state()).as("stopped").isEqualTo('T');
      assertThat(attributes(thread.thread())).isEqualTo(thread);
    }
    wanted.sort(null);
    assertThat(SourceProcess.threads(shell.pid())).isEqualTo(wanted);

    // Where its number was memory may be something else by now.
    ThreadAttributes first = changes.begun().getFirst();
    long page = first.clearTid() & -PageScan.PAGE;
    shell.call(Linux.__NR_mmap(), page, PageScan.PAGE, READ_WRITE, ANONYMOUS_FIXED, -1, 0);
    write(first.clearTid(), 0x5a);
    copy.takeThreads(new ThreadChanges(shell.pid(), List.of(first.thread()), List.of(), List.of()));
    assertThat(shell.read(first.clearTid(), 1)).containsExactly(0x5a);
    wanted.removeAll(List.of(first.thread()));
    assertThat(SourceProcess.threads(shell.pid())).isEqualTo(wanted);

    // One of that number comes again.
    copy.takeThreads(new ThreadChanges(shell.pid(), List.of(), List.of(first), List.of()));
    assertThat(SourceProcess.threads(shell.pid())).contains(first.thread());
  }

  private void write(long address, int value) throws IOException {
    try (var tracee = Tracee.hold(shell.pid())) {
      tracee.write(address, new byte[] {(byte) value});
    }
  }

  @Test
  void whatIsSetLaterIsSetInTheCopy() throws Exception {
    command('+');
    ThreadChanges changes = followAndEnd();
    mapAreas(changes);
    copy.takeThreads(changes);
    ThreadAttributes was = changes.begun().getFirst();
    var is =
        new ThreadAttributes(
            was.thread(),
            "rests",
            was.clearTid() + 8,
            new ThreadAttributes.SignalStack(0, 0, 2),
            was.robustList() + 16,
            was.robustLength(),
            0,
            new ThreadAttributes.Scheduling(was.scheduling().nice(), 3, 0),
            was.restartable());
    copy.takeThreads(new ThreadChanges(shell.pid(), List.of(), List.of(), List.of(is)));
    assertThat(attributes(was.thread())).isEqualTo(is);
  }

  @Test
  void aNumberThatIsTakenIsSaid() throws Exception {
    command('+');
    ThreadChanges changes = follow();
    int taken = changes.begun().getFirst().thread();
    assertThatThrownBy(
            () ->
                copy.takeThreads(
                    new ThreadChanges(shell.pid(), List.of(), changes.begun(), List.of())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("process or thread " + taken + " of its own");
    assertThat(SourceProcess.threads(shell.pid())).containsExactly(shell.pid());
    Processes.kill(shell.pid(), Linux.SIGKILL());
    Reaping.awaitDead(shell.pid());
  }
}
