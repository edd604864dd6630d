package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.policy.Container;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.ContainerMounts;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StagedContainersTest {
  @TempDir private Path root = Path.of("/");

  private static Fields sent(Container container) throws IOException {
    var stage = Map.<String, Object>of("containers", StagedContainers.toJson(List.of(container)));
    return new Fields(Json.parse(Json.write(stage)));
  }

  private Container container(Path root) {
    // Not in a PID namespace of its own: it keeps its numbers.
    int pid = (int) ProcessHandle.current().pid();
    return new Container(pid, new ContainerMounts(root, 1, Map.of("/proc/kcore", "/dev/null")), 0);
  }

  @Test
  void whatIsSentIsRead() throws IOException {
    Container container = container(root);
    StagedContainers read = StagedContainers.read(sent(container));
    assertThat(read.byRoot())
        .isEqualTo(
            Map.of(container.pid(), new StagedContainers.Staged(container.mounts(), Map.of())));
  }

  @Test
  void aRootThatIsNotHereIsNamed() throws IOException {
    Fields sent = sent(container(root.resolve("missing")));
    assertThatThrownBy(() -> StagedContainers.read(sent))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("missing, is not in kernel B's image");
  }

  @Test
  void containersComeLast() {
    assertThat(StagedContainers.inOrder(Set.of(5040), List.of(5001, 5040, 5100)))
        .containsExactly(5001, 5100, 5040);
  }

  @Test
  void whatALaterLookFoundIsAdded() {
    var first =
        new CgroupLayout(
            List.of(
                new CgroupLayout.Group("/a", List.of(1, 2), Map.of("pids.max", "32")),
                new CgroupLayout.Group("/c", List.of(7), Map.of())));
    var later =
        new CgroupLayout(
            List.of(
                new CgroupLayout.Group("/a", List.of(2, 3), Map.of("pids.max", "64")),
                new CgroupLayout.Group("/b", List.of(4), Map.of())));
    assertThat(first.joined(later).groups())
        .containsExactly(
            new CgroupLayout.Group("/a", List.of(1, 2, 3), Map.of("pids.max", "64")),
            new CgroupLayout.Group("/c", List.of(7), Map.of()),
            new CgroupLayout.Group("/b", List.of(4), Map.of()));
  }

  @Test
  void cgroupsGetTheNumbersThatProcessesHaveHere() throws IOException {
    // A had 5040 and 5044, of which the second one has ended; here they are 812 and on.
    Map<Integer, Integer> pairs =
        StagedContainers.pairs(Map.of(1, 5040, 2, 5044, 3, 5050), Map.of(1, 812, 3, 5044));
    assertThat(pairs).isEqualTo(Map.of(5040, 812, 5050, 5044));
    var layout =
        new CgroupLayout(
            List.of(
                new CgroupLayout.Group(
                    "/sys/fs/cgroup/service/container",
                    List.of(5040, 5050),
                    Map.of("pids.max", "32")),
                new CgroupLayout.Group("/sys/fs/cgroup/service/redis", List.of(5001), Map.of())));
    assertThat(layout.renumbered(pairs).groups())
        .extracting(CgroupLayout.Group::pids)
        .containsExactly(List.of(812, 5044), List.of(5001));
    assertThat(layout.renumbered(pairs).groups().getFirst().limits())
        .containsEntry("pids.max", "32");
  }
}
