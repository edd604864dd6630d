package io.twinkernel.broker.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CpuListTest {
  @Test
  void readsWhatSysfsWrites() {
    assertThat(CpuList.parse("0-2,4\n")).containsExactly(0, 1, 2, 4);
    assertThat(CpuList.parse("7")).containsExactly(7);
    assertThat(CpuList.parse("0,2-3,9-9")).containsExactly(0, 2, 3, 9);
    assertThat(CpuList.parse("\n")).isEqualTo(List.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "1-", "-1", "1,,2", "0x3", "1 2"})
  void refusesEverythingElse(String text) {
    assertThatThrownBy(() -> CpuList.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not a list of CPUs");
  }
}
