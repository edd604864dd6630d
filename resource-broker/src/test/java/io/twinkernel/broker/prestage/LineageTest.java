package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.prestage.Lineage.Kin;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LineageTest {
  private static final int PROCESS = 100;

  /** The process of each thread that is there. */
  private final Map<Integer, Integer> there = new HashMap<>(Map.of(100, 100, 101, 100));

  private final Lineage lineage =
      new Lineage(PROCESS, List.of(100, 101), thread -> Optional.ofNullable(there.get(thread)));

  private Kin kin(int thread) throws IOException {
    return lineage.kin(thread);
  }

  @Test
  void theFirstOnesAreItsOwnAlsoWhenTheyHaveEnded() throws Exception {
    there.clear();
    assertThat(kin(100)).isEqualTo(Kin.OWN);
    assertThat(kin(101)).isEqualTo(Kin.OWN);
    assertThat(lineage.isThere(101)).isFalse();
    assertThat(kin(102)).isEqualTo(Kin.STRANGER);
  }

  @Test
  void whatIsThereSaysItself() throws Exception {
    there.put(200, 100);
    there.put(201, 201);
    assertThat(lineage.born(List.of(new Birth(101, 200), new Birth(200, 201), new Birth(7, 8))))
        .containsExactly(new Birth(101, 200), new Birth(200, 201));
    assertThat(kin(200)).isEqualTo(Kin.OWN);
    assertThat(kin(201)).isEqualTo(Kin.OTHER);
    assertThat(kin(8)).isEqualTo(Kin.STRANGER);
  }

  @Test
  void whatHasEndedIsWhatItsParentMakes() throws Exception {
    lineage.born(
        List.of(
            new Birth(100, 300), new Birth(101, 301), new Birth(101, 302), new Birth(301, 303)));
    lineage.begins(101);
    lineage.executes(302);
    assertThat(kin(300)).as("of one that makes processes").isEqualTo(Kin.OTHER);
    assertThat(kin(301)).as("of one that makes threads").isEqualTo(Kin.OWN);
    assertThat(kin(302)).as("with a program of its own").isEqualTo(Kin.OTHER);
    assertThat(kin(303)).as("of one that made processes").isEqualTo(Kin.OTHER);
  }

  /** A fork that was made in its name: it has ended before anybody asks, and made no difference. */
  @Test
  void whatWasMadeInItsNameIsNotItsOwn() throws Exception {
    lineage.born(List.of(new Birth(100, 700)));
    lineage.addOther(700);
    lineage.begins(100);
    assertThat(kin(700)).isEqualTo(Kin.OTHER);
  }

  /** Each CPU has a buffer of its own, and they are read one after the other. */
  @Test
  void aChildMayBeToldOfBeforeItsParent() throws Exception {
    there.put(401, 100);
    assertThat(lineage.born(List.of(new Birth(400, 401)))).isEmpty();
    assertThat(kin(401)).isEqualTo(Kin.STRANGER);
    assertThat(lineage.born(List.of(new Birth(100, 400)))).hasSize(2);
    assertThat(kin(401)).isEqualTo(Kin.OWN);
    // But not for ever: others' children are forgotten.
    assertThat(lineage.born(List.of(new Birth(500, 501)))).isEmpty();
    assertThat(lineage.born(List.of())).isEmpty();
    assertThat(lineage.born(List.of(new Birth(100, 500)))).hasSize(1);
  }

  @Test
  void aNumberMayComeAgain() throws Exception {
    there.remove(101);
    there.put(600, 600);
    lineage.born(List.of(new Birth(100, 600)));
    assertThat(kin(600)).isEqualTo(Kin.OTHER);
    there.put(600, 100);
    there.put(101, 101);
    lineage.born(List.of(new Birth(100, 600), new Birth(600, 101)));
    assertThat(kin(600)).isEqualTo(Kin.OWN);
    assertThat(kin(101)).isEqualTo(Kin.OTHER);
  }

  @Test
  void thisProgramsThreadsAreIts() throws Exception {
    int self = (int) ProcessHandle.current().pid();
    for (int thread : SourceProcess.threads(self)) {
      assertThat(Lineage.group(thread).orElse(self)).isEqualTo(self);
    }
    assertThat(Lineage.group(self)).contains(self);
    assertThat(Lineage.group(Integer.MAX_VALUE)).isEmpty();
  }
}
