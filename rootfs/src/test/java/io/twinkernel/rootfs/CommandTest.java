package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class CommandTest {
  @TempDir private Path folder;

  @Test
  void givesWhatTheProgramSaid() throws RootfsException, InterruptedException {
    assertThat(Command.run(folder, "printf", "a\\nb").lines()).containsExactly("a", "b");
  }

  @Test
  void saysHowAProgramFailed() {
    assertThatThrownBy(() -> Command.run(folder, "sh", "-c", "echo why >&2; exit 3"))
        .isInstanceOf(RootfsException.class)
        .hasMessageContaining("exit status 3, why");
    assertThatThrownBy(() -> Command.run(folder, "no-such-program"))
        .isInstanceOf(RootfsException.class)
        .hasMessageContaining("no-such-program");
  }

  @Test
  void endsTheProgramWhenItsCallerIsInterrupted() throws Exception {
    Path fifo = folder.resolve("fifo");
    Command.run(folder, "mkfifo", fifo.toString());
    CompletableFuture<Throwable> outcome = new CompletableFuture<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    Command.run(folder, "sh", "-c", "echo $$ >fifo; sleep 1000");
                    outcome.complete(new AssertionError("it ended by itself"));
                  } catch (RootfsException | InterruptedException e) {
                    outcome.complete(e);
                  }
                });
    long process = Long.parseLong(Files.readString(fifo).strip());

    caller.interrupt();

    assertThat(outcome.get()).isInstanceOf(InterruptedException.class);
    ProcessHandle.of(process).ifPresent(left -> left.onExit().join());
    assertThat(ProcessHandle.of(process).filter(ProcessHandle::isAlive)).isEmpty();
  }

  @Test
  void keepsOutputApartFromMessages() throws RootfsException, InterruptedException, IOException {
    Command.Result result = Command.run(folder, "sh", "-c", "echo out; echo message >&2");

    assertThat(result.text()).isEqualTo("out\n");
    assertThat(result.errors()).isEqualTo("message\n");
  }
}
