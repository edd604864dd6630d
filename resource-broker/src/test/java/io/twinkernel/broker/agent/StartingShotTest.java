package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class StartingShotTest {
  private final StartingShot shot = new StartingShot();

  @Test
  void whoeverWaitsBeginsWhenItIsFired() throws Exception {
    var waiting = CompletableFuture.supplyAsync(shot::await);
    assertThat(waiting.completeOnTimeout(null, 20, TimeUnit.MILLISECONDS).get()).isNull();
    var other = CompletableFuture.supplyAsync(shot::await);
    shot.fire();
    // What comes after it is too late.
    shot.callOff();
    assertThat(other.get(30, TimeUnit.SECONDS)).isTrue();
    assertThat(shot.await()).isTrue();
  }

  @Test
  void nobodyBeginsWhenItIsCalledOff() throws Exception {
    var waiting = CompletableFuture.supplyAsync(shot::await);
    shot.callOff();
    assertThat(waiting.get(30, TimeUnit.SECONDS)).isFalse();
  }
}
