package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TwinBootTest {

  @Test
  void aTwinThatRunsOnAllItWasGivenIsUp() {
    assertThatCode(() -> TwinBoot.requireCpus(List.of(6, 4), hello("[4,6]", "[]")))
        .doesNotThrowAnyException();
  }

  @Test
  void oneThatLacksACpuIsNotAndSaysWhy() {
    Failure failure =
        catchThrowableOfType(
                BrokerException.class,
                () -> TwinBoot.requireCpus(List.of(6, 4), hello("[6]", "[\"EIO on cpu2\"]")))
            .failure();
    assertThat(failure.code()).isEqualTo("twin-cpus-not-up");
    assertThat(failure.why()).contains("[6, 4]", "[6]", "EIO on cpu2");
    assertThat(failure.undone()).isFalse();
  }

  private static Fields hello(String ids, String failures) throws IOException {
    return new Fields(
        Json.parse(
            "{\"kernel\":\"6.1\",\"apic_ids\":" + ids + ",\"cpu_failures\":" + failures + "}"));
  }
}
