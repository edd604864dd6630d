package io.twinkernel.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class InterfaceStateTest {

  @Test
  void whatIsWrittenIsRead() throws IOException {
    for (long seed = 0; seed < 300; seed++) {
      InterfaceState state = random(new Random(seed));
      assertThat(InterfaceState.fromBytes(state.toBytes())).as("seed %d", seed).isEqualTo(state);
    }
  }

  @Test
  void bytesThatAreCutOffAreRefused() {
    byte[] bytes = random(new Random(3)).toBytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] part = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> InterfaceState.fromBytes(part)).isInstanceOf(IOException.class);
    }
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> InterfaceState.fromBytes(longer)).isInstanceOf(IOException.class);
  }

  @Test
  void damagedBytesNeverCauseMoreThanARefusal() {
    byte[] bytes = random(new Random(4)).toBytes();
    Random random = new Random(5);
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
      byte[] damaged = bytes.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        InterfaceState.fromBytes(damaged);
      } catch (IOException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  static InterfaceState random(Random random) {
    List<InterfaceAddress> addresses = new ArrayList<>();
    List<Route> routes = new ArrayList<>();
    List<Neighbour> neighbours = new ArrayList<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      IpAddress address = address(random);
      addresses.add(
          new InterfaceAddress(
              address,
              random.nextInt(address.bits() + 1),
              maybe(random),
              maybe(random),
              random.nextBoolean(),
              random.nextInt(),
              random.nextInt()));
    }
    for (int i = random.nextInt(5); i > 0; i--) {
      routes.add(
          new Route(
              maybe(random),
              random.nextInt(129),
              random.nextBoolean(),
              maybe(random),
              maybe(random),
              random.nextInt(),
              random.nextInt(),
              random.nextInt(256),
              random.nextInt(256),
              random.nextBoolean()));
    }
    for (int i = random.nextInt(5); i > 0; i--) {
      neighbours.add(
          new Neighbour(
              address(random), "52:54:00:00:00:0" + i, random.nextBoolean(), random.nextBoolean()));
    }
    return new InterfaceState(
        "eth" + random.nextInt(10),
        random.nextBoolean() ? "" : "52:54:00:12:34:56",
        random.nextInt(),
        random.nextBoolean(),
        addresses,
        routes,
        neighbours);
  }

  private static @Nullable IpAddress maybe(Random random) {
    return random.nextBoolean() ? null : address(random);
  }

  private static IpAddress address(Random random) {
    byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
    random.nextBytes(bytes);
    return IpAddress.of(bytes);
  }
}
