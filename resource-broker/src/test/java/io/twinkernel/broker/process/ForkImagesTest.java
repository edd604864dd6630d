package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.ThreadAttributes.RestartableSequences;
import io.twinkernel.broker.process.ThreadAttributes.Scheduling;
import io.twinkernel.broker.process.ThreadAttributes.SignalStack;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On images that CRIU 3.17.1 made of a fork of Redis 7.0 on Linux 6.1: of 5125, forked from 5001.
 */
final class ForkImagesTest {
  private static final int FORK = 5125;
  private static final int ENTRY = 12;
  private static final List<String> CAPTURED = List.of("core-5125", "ids-5125", "pstree");

  private static final ThreadAttributes LEADER =
      new ThreadAttributes(
          5001,
          "redis-server",
          0x7f0123456910L,
          new SignalStack(0, 0, 2),
          0x7f0123456920L,
          24,
          0,
          new Scheduling(0, 0, 0),
          Optional.of(new RestartableSequences(0x7f0123456fa0L, 32, 0x53053053)));

  private static final ThreadAttributes THREAD =
      new ThreadAttributes(
          5008,
          "bio_close_file",
          0x7f0120000910L,
          new SignalStack(0x7f0110000000L, 1 << 16, 1 << 31),
          0x7f0120000920L,
          24,
          9,
          new Scheduling(-5, 2, 7),
          Optional.empty());

  private static final ForkedProcess PROCESS =
      new ForkedProcess(FORK, 5001, 0, 4999, 5001, true, List.of(LEADER, THREAD));

  private static final ForkedProcess PROCESS_ALONE =
      new ForkedProcess(FORK, 5001, 0, 4999, 5001, true, List.of(LEADER));

  @TempDir Path images;

  @BeforeEach
  void copy() throws IOException {
    for (String name : CAPTURED) {
      Files.write(images.resolve(name + ".img"), captured(name));
    }
  }

  private static byte[] captured(String name) throws IOException {
    try (InputStream in = ForkImagesTest.class.getResourceAsStream("fork-5125/" + name + ".img")) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }

  private static ProtobufMessage entry(byte[] image) throws IOException {
    return ProtobufMessage.parse(Arrays.copyOfRange(image, ENTRY, image.length));
  }

  private ProtobufMessage core(int thread) throws IOException {
    byte[] image = Files.readAllBytes(images.resolve("core-" + thread + ".img"));
    assertThat(Arrays.copyOf(image, 8)).isEqualTo(Arrays.copyOf(captured("core-5125"), 8));
    assertThat(ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).getInt(8))
        .isEqualTo(image.length - ENTRY);
    return entry(image);
  }

  private static ProtobufReader field(ProtobufMessage message, int field) throws IOException {
    var in = new ProtobufReader(message.toByteArray());
    while (in.next()) {
      if (in.field() == field) {
        return in;
      }
    }
    throw new AssertionError("no field " + field);
  }

  private static ProtobufMessage message(ProtobufMessage message, int field) throws IOException {
    return message.message(field).orElseThrow();
  }

  @Test
  void theyBecomeThoseOfTheProcess() throws IOException {
    ForkImages.become(List.of(PROCESS), images, Set.of());

    try (var files = Files.list(images)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "core-5001.img", "core-5008.img", "ids-5001.img", "pstree.img");
    }
    assertThat(Files.readAllBytes(images.resolve("ids-5001.img"))).isEqualTo(captured("ids-5125"));
    var tree =
        new ProtobufReader(entry(Files.readAllBytes(images.resolve("pstree.img"))).toByteArray());
    var said = new StringBuilder();
    while (tree.next()) {
      said.append(tree.field()).append('=').append(tree.number()).append(' ');
    }
    assertThat(said).hasToString("1=5001 2=0 3=4999 4=5001 5=5001 5=5008 ");
  }

  @Test
  void aTreeIsOneInTheOrderOfItsProcesses() throws IOException {
    int second = FORK + 1;
    for (String kind : List.of("core", "ids")) {
      Files.write(images.resolve(kind + "-" + second + ".img"), captured(kind + "-" + FORK));
    }
    var child = new ForkedProcess(second, 5008, 5001, 4999, 5001, false, List.of(THREAD));

    ForkImages.become(List.of(PROCESS_ALONE, child), images, Set.of());

    List<ProtobufMessage> tree = CriuImage.read(images.resolve("pstree.img")).entries();
    assertThat(tree).hasSize(2);
    assertThat(tree.getFirst().number(1)).isEqualTo(5001);
    assertThat(tree.getFirst().number(2)).isZero();
    assertThat(tree.getLast().number(1)).isEqualTo(5008);
    assertThat(tree.getLast().number(2)).isEqualTo(5001);
    assertThat(field(message(core(5008), 3), 6).text()).isEqualTo("bio_close_file");
  }

  @Test
  void anIntervalTimerIsFound() throws IOException {
    assertThat(ImageFindings.withIntervalTimer(images)).isEmpty();
    Path file = images.resolve("core-" + FORK + ".img");
    CriuImage image = CriuImage.read(file);
    ProtobufMessage core = image.only();
    ProtobufMessage task = message(core, 3);
    ProtobufMessage timer = ProtobufMessage.empty().number(1, 0).number(3, 0).number(4, 7);
    core.message(3, task.message(7, ProtobufMessage.empty().message(2, timer)));
    image.with(List.of(core)).write(file);
    assertThat(ImageFindings.withIntervalTimer(images)).contains(FORK);
  }

  @Test
  void theLeaderKeepsWhatItInherited() throws IOException {
    ForkImages.become(List.of(PROCESS), images, Set.of());

    ProtobufMessage before = entry(captured("core-5125"));
    ProtobufMessage after = core(5001);
    ProtobufMessage info = message(after, 2);
    assertThat(field(info, 1).number()).isEqualTo(LEADER.clearTid());
    for (int registers = 2; registers <= 3; registers++) {
      assertThat(message(info, registers).toByteArray())
          .isEqualTo(message(message(before, 2), registers).toByteArray());
    }
    ProtobufMessage task = message(after, 3);
    assertThat(field(task, 6).text()).isEqualTo("redis-server");
    assertThat(field(task, 18).number()).isEqualTo(1);
    assertThat(task.without(6).without(18).toByteArray())
        .isEqualTo(message(before, 3).without(6).without(18).toByteArray());
    ProtobufMessage thread = message(after, 5);
    assertThat(field(thread, 1).number()).isEqualTo(LEADER.robustList());
    assertThat(field(message(thread, 15), 1).number()).isEqualTo(0x7f0123456fa0L);
    assertThat(message(thread, 10).toByteArray())
        .as("credentials")
        .isEqualTo(message(message(before, 5), 10).toByteArray());
  }

  @Test
  void otherThreadsHaveTheirOwn() throws IOException {
    ForkImages.become(List.of(PROCESS), images, Set.of());

    ProtobufMessage core = core(5008);
    assertThat(core.message(3)).as("what the leader alone has").isEmpty();
    assertThat(core.message(4)).isEmpty();
    assertThat(field(message(core, 2), 1).number()).isEqualTo(THREAD.clearTid());
    ProtobufMessage thread = message(core, 5);
    assertThat(field(thread, 1).number()).isEqualTo(THREAD.robustList());
    assertThat(field(thread, 3).number()).as("-5, zigzag").isEqualTo(9);
    assertThat(field(thread, 4).number()).isEqualTo(2);
    assertThat(field(thread, 5).number()).isEqualTo(7);
    assertThat(field(thread, 8).number()).isEqualTo(9);
    assertThat(field(thread, 13).text()).isEqualTo("bio_close_file");
    assertThat(thread.message(15)).isEmpty();
    ProtobufMessage stack = message(thread, 7);
    assertThat(field(stack, 1).number()).isEqualTo(0x7f0110000000L);
    assertThat(field(stack, 2).number()).isEqualTo(1 << 16);
    assertThat(field(stack, 3).number()).as("SS_AUTODISARM").isEqualTo(1L << 31);
  }

  @Test
  void whatIsNotTouchedStaysAsItIs() throws IOException {
    byte[] core = captured("core-5125");
    assertThat(entry(core).toByteArray()).isEqualTo(Arrays.copyOfRange(core, ENTRY, core.length));
  }

  /** files.img is of such a fork that has its append-only file on a disk that moves. */
  @Test
  void filesThatGrowHaveNoSizeToBeCompared() throws IOException {
    String growing = "/srv/redis/appendonlydir/appendonly.aof.2.incr.aof";
    Path image = images.resolve("files.img");
    Files.write(image, captured("files"));
    CriuImage before = CriuImage.read(image);

    ForkImages.become(List.of(PROCESS), images, Set.of(growing));

    CriuImage after = CriuImage.read(image);
    assertThat(after.header()).isEqualTo(before.header());
    assertThat(after.entries()).hasSameSizeAs(before.entries());
    int forgotten = 0;
    for (int i = 0; i < before.entries().size(); i++) {
      Optional<ProtobufMessage> was = before.entries().get(i).message(3);
      Optional<ProtobufMessage> is = after.entries().get(i).message(3);
      if (was.isPresent() && was.get().text(6).equals(growing)) {
        assertThat(was.get().number(8)).isPositive();
        assertThat(is.orElseThrow().toByteArray()).isEqualTo(was.get().without(8).toByteArray());
        forgotten++;
      } else {
        assertThat(after.entries().get(i).toByteArray())
            .isEqualTo(before.entries().get(i).toByteArray());
      }
    }
    assertThat(forgotten).isEqualTo(1);
  }

  @Test
  void anImageIsWrittenAsItWasRead() throws IOException {
    Path image = images.resolve("files.img");
    Files.write(image, captured("files"));
    CriuImage.read(image).write(image);
    assertThat(Files.readAllBytes(image)).isEqualTo(captured("files"));
  }

  @Test
  void tornImagesAreRefused() throws IOException {
    byte[] core = captured("core-5125");
    for (int length = 0; length < core.length; length += 7) {
      Path damaged = Files.createDirectory(images.resolve("torn-" + length));
      Files.write(damaged.resolve("core-5125.img"), Arrays.copyOf(core, length));
      Files.write(damaged.resolve("pstree.img"), captured("pstree"));
      assertThatThrownBy(() -> ForkImages.become(List.of(PROCESS), damaged, Set.of()))
          .isInstanceOf(CriuException.class)
          .hasMessageContaining("5125");
    }
  }

  @Test
  void damageIsAFailureAndNothingElse() throws IOException {
    var random = new Random(5125);
    byte[] core = captured("core-5125");
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = core.clone();
      for (int j = 0; j <= random.nextInt(3); j++) {
        bytes[ENTRY + random.nextInt(bytes.length - ENTRY)] = (byte) random.nextInt();
      }
      Files.write(images.resolve("core-5125.img"), bytes);
      Files.deleteIfExists(images.resolve("core-5001.img"));
      try {
        ForkImages.become(List.of(PROCESS), images, Set.of());
      } catch (CriuException e) {
        assertThat(e.request()).isEqualTo(CriuCommand.DUMP);
      }
    }
  }
}
