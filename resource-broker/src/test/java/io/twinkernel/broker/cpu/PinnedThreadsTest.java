package io.twinkernel.broker.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real process, which is kept on CPUs of this machine. What the kernel does when CPUs go is done
 * to it by hand.
 */
final class PinnedThreadsTest {
  private static final List<Integer> FIRST = List.of(0);

  @TempDir private Path folder = Path.of("/");
  private @Nullable Process process;
  private List<Integer> all = List.of();

  @BeforeEach
  void start() throws IOException {
    process = new ProcessBuilder("sleep", "infinity").start();
    all = List.copyOf(ApicIds.read().keySet());
  }

  @AfterEach
  void end() throws InterruptedException {
    process().destroyForcibly().waitFor();
  }

  private Process process() {
    return Objects.requireNonNull(process);
  }

  private int pid() {
    return (int) process().pid();
  }

  private Path record() {
    return folder.resolve("pinned-threads");
  }

  private String task() {
    return "/proc/" + pid() + "/task/" + pid();
  }

  private Optional<List<Integer>> keptOn(PinnedThreads pinned) throws IOException {
    return Optional.ofNullable(pinned.keptOn(pid()).get(task()));
  }

  private List<Integer> now() throws IOException {
    return AllowedCpus.of(task()).orElseThrow();
  }

  @Test
  void whereTheKernelForgotItAThreadIsPutBack() throws Exception {
    AllowedCpus.keep(pid(), FIRST);
    var _ = PinnedThreads.note(record());
    AllowedCpus.keep(pid(), all);
    // A program that starts anew knows it, too.
    PinnedThreads.read(record()).restore();
    assertThat(now()).isEqualTo(FIRST);
    assertThat(record()).doesNotExist();
  }

  @Test
  void aThreadThatIsGivenOtherCpusMeanwhileKeepsThese() throws Exception {
    AllowedCpus.keep(pid(), FIRST);
    PinnedThreads pinned = PinnedThreads.note(record());
    List<Integer> last = List.of(all.getLast());
    AllowedCpus.keep(pid(), last);
    assertThat(keptOn(pinned)).isEqualTo(Optional.of(pinned.apicIds(last)));
    pinned.restore();
    assertThat(now()).isEqualTo(last);
  }

  @Test
  void whatWasBeforeCpusWentIsTold() throws Exception {
    AllowedCpus.keep(pid(), FIRST);
    PinnedThreads pinned = PinnedThreads.note(record());
    AllowedCpus.keep(pid(), all);
    List<Integer> ids = pinned.apicIds(FIRST);
    assertThat(ids).hasSize(1).doesNotContainNull();
    assertThat(keptOn(pinned)).isEqualTo(Optional.of(ids));
    assertThat(keptOn(PinnedThreads.read(record()))).isEqualTo(Optional.of(ids));
  }

  @Test
  void aThreadThatIsKeptNowhereIsNotTold() throws Exception {
    PinnedThreads pinned = PinnedThreads.note(record());
    assertThat(keptOn(pinned)).isEmpty();
    assertThat(Files.readString(record())).doesNotContain(task());
  }

  @Test
  void aThreadThatIsKeptSinceIsToldAsItIsNow() throws Exception {
    PinnedThreads pinned = PinnedThreads.note(record());
    AllowedCpus.keep(pid(), FIRST);
    assertThat(keptOn(pinned)).isEqualTo(Optional.of(pinned.apicIds(FIRST)));
  }

  @Test
  void oneThatHasEndedIsLeftOut() throws Exception {
    AllowedCpus.keep(pid(), FIRST);
    PinnedThreads pinned = PinnedThreads.note(record());
    end();
    assertThat(keptOn(pinned)).isEmpty();
    pinned.restore();
  }

  @Test
  void whereNothingIsWrittenDownNothingIsDone() throws Exception {
    PinnedThreads none = PinnedThreads.read(record());
    none.restore();
    assertThat(none.apicIds(all)).hasSize(all.size());
    assertThat(none.apicIds(FIRST)).isEqualTo(List.of(ApicIds.read().get(0)));
  }

  @Test
  void aDamagedRecordIsSaid() throws Exception {
    Files.writeString(record(), "0 0\n/proc/1/task/1 17 0-x\n");
    assertThatThrownBy(() -> PinnedThreads.read(record()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("0-x");
  }
}
