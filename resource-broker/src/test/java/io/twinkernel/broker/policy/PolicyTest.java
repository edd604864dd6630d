package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PolicyTest {

  private static ProcessFacts process(String name, String cgroup, String executable) {
    return new ProcessFacts(
        5000,
        1,
        name,
        5000,
        5000,
        false,
        cgroup,
        executable,
        0,
        "ipc:[1]",
        Map.of(),
        5000,
        List.of(5000));
  }

  private static final ProcessFacts REDIS =
      process("redis-server", "system.slice/redis@1.service/main", "/usr/bin/redis-server");

  private static Disposition of(String text, ProcessFacts process) throws PolicyException {
    return Policy.parse(text).ruleFor(process).map(Rule::disposition).orElse(Disposition.STAY);
  }

  @ParameterizedTest
  @CsvSource({
    "cgroup system.slice, true",
    "cgroup /sys/fs/cgroup/system.slice/, true",
    "cgroup system.slice/redis@*, true",
    "cgroup system, false",
    "cgroup redis@1.service, false",
    "cgroup system.slice/redis@1.service/main/x, false",
    "unit redis@*.service, true",
    "unit redis@1.service, true",
    "unit redis@1, false",
    "unit system.slice/redis@1.service, false",
    "process redis-*, true",
    "process redis, false",
    "process /usr/bin/*, true",
    "process /usr/*, false",
    "process /usr/bin/redis.server, false",
  })
  void selects(String selector, boolean selected) throws PolicyException {
    assertThat(of("move " + selector, REDIS))
        .isEqualTo(selected ? Disposition.MOVE : Disposition.STAY);
  }

  @Test
  void theFirstRuleThatSelectsDecides() throws PolicyException {
    String text = "# a comment\n\n stay process redis-s* # not this\nmove cgroup system.slice\n";
    assertThat(of(text, REDIS)).isEqualTo(Disposition.STAY);
    assertThat(of(text, process("cron", "system.slice/cron.service", "/usr/sbin/cron")))
        .isEqualTo(Disposition.MOVE);
  }

  @Test
  void aDiskIsNamedByWhereItIsMounted() throws PolicyException {
    Policy policy = Policy.parse("move cgroup service\nmove disk /var/lib/redis/ # its data");
    assertThat(policy.disk()).contains("/var/lib/redis");
    assertThat(policy.rules()).hasSize(1);
    assertThat(Policy.parse("move cgroup service").disk()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "move disk, there is only 'move disk PATH'",
    "stay disk /srv, there is only 'move disk PATH'",
    "move disk srv, is no mount point that can go",
    "move disk /, is no mount point that can go",
  })
  void ofADiskNothingElseIsSaid(String text, String why) {
    assertThatThrownBy(() -> Policy.parse(text)).hasMessageContaining(why);
  }

  @Test
  void oneDiskIsAllThatMoves() {
    assertThatThrownBy(() -> Policy.parse("move disk /a\nmove disk /b"))
        .hasMessageContaining("line 2: a second disk");
  }

  @Test
  void aRestartNamesWhatStartsItAnew() throws PolicyException {
    Policy policy = Policy.parse("restart unit cron.service /usr/bin/systemctl start cron");
    assertThat(policy.rules().getFirst().command())
        .containsExactly("/usr/bin/systemctl", "start", "cron");
  }

  @ParameterizedTest
  @CsvSource({
    "mvoe cgroup x, 'line 2: ''mvoe'' is none of move, restart and stay'",
    "move x, a selector and a pattern are missing",
    "move cgroups x, 'line 2: ''cgroups'' is none of cgroup, unit, process and disk'",
    "move cgroup /, the root cgroup holds this broker",
    "move cgroup /sys/fs/cgroup, the root cgroup holds this broker",
    "stay process x y, 'line 2: ''y'' is one word too many'",
    "restart process x, the command that starts it anew is missing",
    "restart process x y, the command's path is not absolute: y",
  })
  void refusesWhatItDoesNotUnderstand(String line, String why) {
    assertThatThrownBy(() -> Policy.parse("stay process z\n" + line))
        .isInstanceOf(PolicyException.class)
        .hasMessageContaining("/etc/twin/policy.conf, line 2")
        .hasMessageContaining(why);
  }

  @Test
  void withoutAFileTheServicesCgroupMoves() throws PolicyException {
    Policy policy = Policy.ofCgroup(Path.of("/sys/fs/cgroup/service"));
    assertThat(policy).isEqualTo(Policy.parse("move cgroup service"));
  }
}
