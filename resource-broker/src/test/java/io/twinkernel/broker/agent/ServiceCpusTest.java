package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ServiceCpusTest {
  private static final ServiceCpus CPUS =
      new ServiceCpus(
          List.of(
              new ServiceCpus.Kept(5001, 5002, List.of(1)),
              new ServiceCpus.Kept(5040, 1, List.of(2, 3))),
          List.of(new ServiceCpus.Group("/sys/fs/cgroup/service/web", List.of(0, 2))));

  private static ServiceCpus sent(Map<String, Object> json) throws IOException {
    return ServiceCpus.read(new Fields(Json.parse(Json.write(json))));
  }

  @Test
  void whatIsSentIsRead() throws IOException {
    assertThat(sent(CPUS.toJson())).isEqualTo(CPUS);
  }

  @Test
  void processesOfContainersHaveOtherNumbers() {
    assertThat(CPUS.renumbered(Map.of(5040, 7700)).threads())
        .containsExactly(
            new ServiceCpus.Kept(5001, 5002, List.of(1)),
            new ServiceCpus.Kept(7700, 1, List.of(2, 3)));
  }

  @Test
  void whatIsNotAListIsRefused() {
    assertThatThrownBy(() -> sent(Map.of("threads", 7, "cgroups", List.of())))
        .isInstanceOf(MalformedMessageException.class);
  }
}
