package io.twinkernel.broker.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AmlTest {

  @ParameterizedTest
  @CsvSource({
    "0, 00",
    "1, 01",
    "2, 0a02",
    "255, 0aff",
    "256, 0b0001",
    "65535, 0bffff",
    "65536, 0c00000100",
    "4294967295, 0cffffffff",
    "4294967296, 0e0000000001000000",
    "-1, 0effffffffffffffff"
  })
  void integersTakeTheirShortestForm(long value, String hex) {
    assertThat(HexFormat.of().formatHex(Aml.integer(value))).isEqualTo(hex);
  }

  /** The borders of each form, worked out by hand from 20.2.4. */
  @ParameterizedTest
  @CsvSource({
    "0, 01",
    "62, 3f",
    "63, 4104",
    "4093, 4fff",
    "4094, 810001",
    "1048572, 8fffff",
    "1048573, c1000001"
  })
  void packageLengthCountsItself(int content, String hex) {
    assertThat(HexFormat.of().formatHex(Aml.packageLength(content))).isEqualTo(hex);
  }

  @Test
  void eisaIdsAreCompressed() {
    assertThat(Aml.eisaId("PNP0A08")).inHexadecimal().containsExactly(0x0c, 0x41, 0xd0, 0x0a, 0x08);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "TOOLONG", "lower", "1ST", "A B"})
  void namesAreChecked(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> Aml.name(name, Aml.integer(0)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "PNP0A0", "pnp0A08", "PNP0A0G"})
  void eisaIdsAreChecked(String id) {
    assertThatIllegalArgumentException().isThrownBy(() -> Aml.eisaId(id));
  }
}
