package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ImageTransferTest {
  private final Inbox inbox = new Inbox();

  @Test
  void whatIsForgottenTakesNoRoomAndMayComeAgain(@TempDir Path root) throws Exception {
    var receiver = new ImageReceiver(root, new PrestagedProcesses());
    for (int round = 0; round < 2; round++) {
      send(receiver, FrameType.FILE_OPEN, "1/2/pages.img");
      send(receiver, FrameType.FILE_DATA, "x");
      send(receiver, FrameType.FILES_END, "");
      assertThat(root.resolve("1/2/pages.img")).hasContent("x");
      send(receiver, FrameType.FILES_FORGET, "");
      assertThat(root).isEmptyDirectory();
    }
  }

  @Test
  void whatRehearsalSendsArrives() throws Exception {
    Rehearsal.link();
    Rehearsal.control();
  }

  @Test
  void writesFilesAndLinksBelowItsFolder(@TempDir Path root) throws Exception {
    var receiver = new ImageReceiver(root, new PrestagedProcesses());
    send(receiver, FrameType.FILE_OPEN, "7/2/core-7.img");
    send(receiver, FrameType.FILE_DATA, "one ");
    send(receiver, FrameType.FILE_DATA, "two");
    send(receiver, FrameType.FILE_LINK, "7/2/parent\n../1");
    send(receiver, FrameType.FILES_END, "");

    assertThat(root.resolve("7/2/core-7.img")).hasContent("one two");
    assertThat(Files.readSymbolicLink(root.resolve("7/2/parent"))).hasToString("../1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "/etc/passwd", "a/../../x", "", "."})
  void noNameLeadsOutOfTheFolder(String name, @TempDir Path root) {
    var receiver = new ImageReceiver(root, new PrestagedProcesses());
    assertThatThrownBy(() -> send(receiver, FrameType.FILE_OPEN, name))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("leads out of");
    assertThatThrownBy(() -> send(receiver, FrameType.FILE_LINK, "1/parent\n../../" + name + "/.."))
        .isInstanceOf(IOException.class);
  }

  @Test
  void dataWithoutAFileIsRefused(@TempDir Path root) {
    assertThatThrownBy(
            () -> send(new ImageReceiver(root, new PrestagedProcesses()), FrameType.FILE_DATA, "x"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("before the file's name");
  }

  private void send(ImageReceiver receiver, int type, String payload) throws IOException {
    byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Math.max(bytes.length, 1)).asSlice(0, bytes.length);
      memory.copyFrom(MemorySegment.ofArray(bytes));
      receiver.receive(inbox, type, memory);
    }
  }
}
