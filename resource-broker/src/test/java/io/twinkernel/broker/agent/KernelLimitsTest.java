package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.protocol.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KernelLimitsTest {
  @TempDir private Path sysctl = Path.of("/");

  private void has(String name, String value) throws IOException {
    Files.createDirectories(sysctl.resolve(name).getParent());
    Files.writeString(sysctl.resolve(name), value + "\n");
  }

  private String value(String name) throws IOException {
    return Files.readString(sysctl.resolve(name)).strip();
  }

  private void raise(Map<String, Object> there) throws IOException {
    assertThat(new KernelLimits(sysctl).raise(new Fields(there))).isEmpty();
  }

  @Test
  void thisKernelsAreReadAndNoneIsLowerThanItself() throws Exception {
    Map<String, String> here = new KernelLimits().read();
    assertThat(here).containsKeys("kernel/pid_max", "kernel/sem", "net/ipv4/tcp_mem");
    here.forEach(
        (name, value) -> {
          try {
            has(name, value);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    raise(Map.copyOf(here));
    assertThat(new KernelLimits(sysctl).read()).isEqualTo(here);
  }

  @Test
  void onlyWhatIsLowerIsRaised() throws Exception {
    has("kernel/pid_max", "32768");
    has("fs/nr_open", "2097152");
    raise(Map.of("kernel/pid_max", "4194304", "fs/nr_open", "1048576"));
    assertThat(value("kernel/pid_max")).isEqualTo("4194304");
    assertThat(value("fs/nr_open")).isEqualTo("2097152");
  }

  @Test
  void eachOfSeveralNumbersIsLookedAt() throws Exception {
    has("net/ipv4/tcp_mem", "7000\t9500\t14000");
    raise(Map.of("net/ipv4/tcp_mem", "6000\t383858\t575784"));
    assertThat(value("net/ipv4/tcp_mem")).isEqualTo("7000 383858 575784");
  }

  @Test
  void aNumberOfTwoPowers64IsOne() throws Exception {
    has("kernel/shmmax", "1048576");
    raise(Map.of("kernel/shmmax", "18446744073692774399"));
    assertThat(value("kernel/shmmax")).isEqualTo("18446744073692774399");
  }

  @Test
  void whatThisKernelDoesNotHaveIsLeftOut() throws Exception {
    raise(Map.of("fs/mqueue/msg_max", "100"));
    assertThat(sysctl.resolve("fs/mqueue/msg_max")).doesNotExist();
  }

  @Test
  void whatIsNoNumberIsSaidAndTheOthersAreRaised() throws Exception {
    has("kernel/pid_max", "32768");
    has("vm/max_map_count", "65530");
    assertThat(
            new KernelLimits(sysctl)
                .raise(new Fields(Map.of("kernel/pid_max", "many", "vm/max_map_count", "262144"))))
        .singleElement()
        .asString()
        .startsWith("kernel/pid_max");
    assertThat(value("vm/max_map_count")).isEqualTo("262144");
  }
}
