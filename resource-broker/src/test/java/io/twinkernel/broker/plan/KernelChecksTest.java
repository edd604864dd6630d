package io.twinkernel.broker.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelChecksTest {

  /** As CRIU says it of such a socket: Can't set 1:72 (len 4): Protocol not available. */
  @Test
  void socketsCannotGoToKernelsWithoutASettingThatTheyHave() {
    assertThat(refusals("6.1.0-56-cloud-amd64", "5.10.0-46-cloud-amd64"))
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.code()).isEqualTo("kernel-too-old");
              assertThat(refusal.what()).contains("5.10.0-46-cloud-amd64");
              assertThat(refusal.todo()).contains("5.14");
            });
    assertThat(refusals("5.14.0", "5.13.19")).hasSize(1);
    assertThat(refusals("10.0.1", "5.4.300")).hasSize(1);
  }

  @Test
  void othersCanGoBack() {
    assertThat(refusals("6.12.117+deb12-cloud-amd64", "6.1.0-56-cloud-amd64")).isEmpty();
    assertThat(refusals("6.1.0-56-cloud-amd64", "5.15.135-twin")).isEmpty();
    assertThat(refusals("5.10.0-46-cloud-amd64", "5.10.0-46-cloud-amd64")).isEmpty();
    assertThat(refusals("5.10.0-46-cloud-amd64", "6.12.117+deb12-cloud-amd64")).isEmpty();
    assertThat(refusals("5.13.0", "5.10.1")).isEmpty();
  }

  @Test
  void whatIsNoVersionIsNotJudged() {
    assertThat(refusals("6.1.0", "next-20261101")).isEmpty();
    assertThat(refusals("mainline", "5.10.1")).isEmpty();
    assertThat(refusals("6.1.0", "")).isEmpty();
    assertThat(refusals("6.1.0", "99999999999.1")).isEmpty();
  }

  private static List<Refusal> refusals(String from, String to) {
    var refusals = new ArrayList<Refusal>();
    KernelChecks.check(from, to, refusals);
    return refusals;
  }
}
