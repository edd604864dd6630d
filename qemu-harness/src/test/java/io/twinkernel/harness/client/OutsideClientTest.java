package io.twinkernel.harness.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against a real Redis: what it must not miss is done to it. */
final class OutsideClientTest {

  private static final Dataset DATASET = new Dataset(7, 200);
  private static final int CONNECTIONS = 3;
  private static final Duration PAUSE = Duration.ofMillis(2);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static RedisProcess redis;

  @BeforeAll
  static void startRedis() throws Exception {
    redis = RedisProcess.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @BeforeEach
  void fill() throws Exception {
    try (RespConnection connection = RespConnection.open(redis.address(), PATIENCE)) {
      connection.call("FLUSHALL");
      DATASET.fill(connection);
    }
  }

  private static OutsideClient client(InetSocketAddress server, Duration silence) throws Exception {
    OutsideClient client =
        OutsideClient.start(server, DATASET, Load.of(CONNECTIONS, PAUSE), silence);
    assertThat(client.awaitAnswers(60, PATIENCE)).isTrue();
    return client;
  }

  private static Reply redis(String... command) throws Exception {
    try (RespConnection connection = RespConnection.open(redis.address(), PATIENCE)) {
      return connection.call(command);
    }
  }

  @Test
  void flawlessWhenNothingHappens() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      Verdict verdict = client.finish();
      assertThat(verdict.flawless()).as("%s", verdict).isTrue();
      assertThat(verdict.open()).isEqualTo(CONNECTIONS);
      assertThat(verdict.acknowledged()).isGreaterThanOrEqualTo(25);
      assertThat(verdict.connections())
          .allSatisfy(
              c -> assertThat(redis("LLEN", c.log())).isEqualTo(new Reply.Count(c.acknowledged())));
    }
  }

  @Test
  void seesConnectionsThatTheServerCloses() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      Verdict verdict = client.finish();
      assertThat(verdict.reset()).isEqualTo(CONNECTIONS);
      assertThat(verdict.open()).isZero();
      assertThat(verdict.lost()).isZero();
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesResets() throws Exception {
    try (Meddler meddler = new Meddler(redis.address());
        OutsideClient client = client(meddler.address(), PATIENCE)) {
      meddler.resetAll();
      Verdict verdict = client.finish();
      assertThat(verdict.connections())
          .extracting(ConnectionRecord::ended)
          .hasSize(CONNECTIONS)
          .allSatisfy(ended -> assertThat(ended).isInstanceOf(Ended.Reset.class));
      assertThat(verdict.reset()).isEqualTo(CONNECTIONS);
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesSilence() throws Exception {
    try (Meddler meddler = new Meddler(redis.address());
        OutsideClient client = client(meddler.address(), Duration.ofSeconds(1))) {
      meddler.hold();
      Verdict verdict = judgeDirectly(client);
      assertThat(verdict.stuck()).isEqualTo(CONNECTIONS);
      assertThat(verdict.longestGapNanos()).isGreaterThan(900_000_000L);
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void measuresAGap() throws Exception {
    try (Meddler meddler = new Meddler(redis.address());
        OutsideClient client = client(meddler.address(), PATIENCE)) {
      long held = System.nanoTime();
      meddler.hold();
      assertThat(client.awaitAnswers(1000, Duration.ofMillis(400))).isFalse();
      meddler.release();
      long released = System.nanoTime();
      assertThat(client.awaitAnswers(60, PATIENCE)).isTrue();
      Verdict verdict = client.finish();
      assertThat(verdict.flawless()).as("%s", verdict).isTrue();
      assertThat(verdict.longestGapNanos()).isBetween(350_000_000L, released - held + 500_000_000L);
      assertThat(verdict.connections())
          .allSatisfy(c -> assertThat(c.longestGapNanos()).isGreaterThan(350_000_000L));
    }
  }

  @Test
  void seesALostWrite() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("LREM", "log:1", "1", "3");
      assertThat(client.awaitAnswers(30, PATIENCE)).isTrue();
      Verdict verdict = client.finish();
      assertThat(verdict.lost()).isEqualTo(1);
      assertThat(verdict.duplicated()).isZero();
      assertThat(verdict.reset()).isZero();
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesAWriteThatIsAppliedTwice() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("LINSERT", "log:2", "AFTER", "4", "4");
      assertThat(client.awaitAnswers(30, PATIENCE)).isTrue();
      Verdict verdict = client.finish();
      assertThat(verdict.duplicated()).isEqualTo(1);
      assertThat(verdict.lost()).isZero();
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesAStateThatWentBack() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("LTRIM", "log:0", "0", "4");
      assertThat(client.awaitAnswers(30, PATIENCE)).isTrue();
      Verdict verdict = client.finish();
      assertThat(verdict.lost()).isPositive();
    }
  }

  @Test
  void seesWhatWasNeverSentAndWhatIsOutOfOrder() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("RPUSH", "log:0", "999999999");
      redis("LINSERT", "log:1", "BEFORE", "2", "5");
      redis("LREM", "log:1", "-1", "5");
      Verdict verdict = client.finish();
      assertThat(verdict.unexplained()).isEqualTo(1);
      assertThat(verdict.outOfOrder()).isPositive();
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesAValueThatChanged() throws Exception {
    try (OutsideClient client = client(redis.address(), PATIENCE)) {
      redis("SETRANGE", Dataset.key(17), "100", "x");
      redis("DEL", Dataset.key(18));
      Verdict verdict = client.finish();
      assertThat(verdict.wrongValues()).isEqualTo(2);
      assertThat(verdict.flawless()).isFalse();
    }
  }

  @Test
  void seesARewriteThatWasLost() throws Exception {
    try (OutsideClient client =
        OutsideClient.start(
            redis.address(), DATASET, new Load(CONNECTIONS, PAUSE, 2000, 0, 0), PATIENCE)) {
      assertThat(client.awaitAnswers(60, PATIENCE)).isTrue();
      Verdict verdict = client.finish();
      assertThat(verdict.flawless()).as("%s", verdict).isTrue();
      assertThat(verdict.open()).isEqualTo(CONNECTIONS + 1);
      assertThat(client.versions().oldest(0)).isPositive();

      try (RespConnection checker = RespConnection.open(redis.address(), PATIENCE)) {
        checker.send(
            "SET".getBytes(StandardCharsets.ISO_8859_1),
            Dataset.key(0).getBytes(StandardCharsets.ISO_8859_1),
            DATASET.value(0));
        checker.flush();
        assertThat(checker.receive()).isInstanceOf(Reply.Status.class);
        Verdict stale = Verdict.of(client.records(), checker, DATASET, client.versions(), 0);
        assertThat(stale.wrongValues()).isEqualTo(1);
      }
    }
  }

  @Test
  void seesClientsThatComeAndGoAndDataThatGrows() throws Exception {
    try (OutsideClient client =
        OutsideClient.start(
            redis.address(), DATASET, new Load(CONNECTIONS, PAUSE, 0, 3, 4), PATIENCE)) {
      assertThat(client.awaitAnswers(200, PATIENCE)).isTrue();
      redis("SET", "grown:0", "another");
      redis("LPOP", "log:" + (CONNECTIONS + 1));
      Verdict verdict = client.finish();
      assertThat(verdict.open()).as("%s", verdict).isEqualTo(CONNECTIONS + 4);
      assertThat(verdict.wrongValues()).isEqualTo(1);
      assertThat(verdict.lost()).isEqualTo(1);
    }
  }

  /** The connections go through the meddler, the check must not. */
  private static Verdict judgeDirectly(OutsideClient client) throws Exception {
    assertThat(client.awaitAnswers(1_000_000, Duration.ofMillis(1500))).isFalse();
    try (RespConnection checker = RespConnection.open(redis.address(), PATIENCE)) {
      return Verdict.of(client.records(), checker, DATASET, new Versions(DATASET.count()), 0);
    }
  }
}
