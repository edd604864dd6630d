package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What A told B ahead of the switch, in a file, for a broker that starts anew in B after the
 * commit.
 *
 * @param stage the content of {@link FrameType#STAGE}
 * @param network the service's addresses and routes
 */
record StageNote(Fields stage, InterfaceState network) {
  private static final Path STAGE = Path.of("/run/twin/stage");
  private static final Path NETWORK = Path.of("/run/twin/stage-network");

  static void write(byte[] stage, byte[] network) throws IOException {
    Files.createDirectories(STAGE.getParent());
    Files.write(STAGE, stage);
    Files.write(NETWORK, network);
  }

  static StageNote read() throws IOException {
    return new StageNote(
        new Fields(Json.parse(Files.readString(STAGE, StandardCharsets.UTF_8))),
        InterfaceState.fromBytes(Files.readAllBytes(NETWORK)));
  }
}
