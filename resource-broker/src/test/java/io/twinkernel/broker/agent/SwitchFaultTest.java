package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SwitchFaultTest {
  private static final String CONF =
      """
      node=demo
      control.host=10.99.0.1
      control.port=7441
      control.token=abc
      service.interface.pci=0000:81:00.0
      b.buses=0000:82
      b.cpus=3
      """;

  @ParameterizedTest
  @ValueSource(
      strings = {"a-fails@freeze", "a-dies@send-bytes", "b-hangs@restore", "b-panics@disk-mount"})
  void isReadAsItIsWritten(String word) throws Exception {
    assertThat(SwitchFault.parse(word).orElseThrow().word()).isEqualTo(word);
  }

  @ParameterizedTest
  @ValueSource(strings = {"twin-hangs", "a-fails", "c-fails@freeze", "a-fails@", "a-fails@9"})
  void whatIsNoneIsNone(String word) throws Exception {
    assertThat(SwitchFault.parse(word)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a-hangs@freeze", "a-panics@freeze", "b-sings@restore"})
  void whatThereIsNotIsRefused(String word) {
    assertThatThrownBy(() -> SwitchFault.parse(word))
        .isInstanceOf(MalformedMessageException.class)
        .hasMessageContaining(word);
  }

  @Test
  void onlyItsOwnStepFailsAndOnlyOnItsSide() throws Exception {
    Optional<SwitchFault> fault = SwitchFault.parse("a-fails@send-bytes");
    var trace = new Trace(SharedRegion.Side.A, fault);
    trace.add("send-state", 1);
    assertThatThrownBy(() -> trace.follow().done("send-4096-bytes"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("send-4096-bytes");
    assertThat(trace.spans()).hasSize(2);
    var other = new Trace(SharedRegion.Side.B, fault);
    assertThatCode(() -> other.add("send-4096-bytes", 1)).doesNotThrowAnyException();
  }

  @Test
  void nothingFailsOnPurposeOnceTheBatonHasDecided() throws Exception {
    var trace = new Trace(SharedRegion.Side.B, SwitchFault.parse("b-fails@connect"));
    trace.decided();
    assertThatCode(() -> trace.add("connect", 1)).doesNotThrowAnyException();
  }

  @Test
  void aPlanHasOneAtMost() {
    assertThatThrownBy(() -> plan("\"a-fails@freeze\",\"b-fails@restore\""))
        .isInstanceOf(MalformedMessageException.class)
        .hasMessageContaining("a-fails@freeze")
        .hasMessageContaining("b-fails@restore");
  }

  @Test
  void aPlanSaysWhichThereAre() {
    assertThatThrownBy(() -> plan("\"twin-sings\""))
        .isInstanceOf(MalformedMessageException.class)
        .hasMessageContaining("a-fails@freeze");
  }

  private static UpgradePlan plan(String faults) throws Exception {
    String arguments =
        """
        {"image":"/b","initrd":"/i","cpus":[1],"buses":["0000:82"],"faults":[%s]}
        """
            .formatted(faults);
    return UpgradePlan.of("u", new Fields(Json.parse(arguments)), NodeConf.parse(CONF));
  }
}
