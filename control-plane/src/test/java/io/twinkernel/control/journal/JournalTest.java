package io.twinkernel.control.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.control.upgrade.Decider;
import io.twinkernel.control.upgrade.Entry;
import io.twinkernel.control.upgrade.Input;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.UpgradeRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
  private static final Entry.Requested FIRST =
      new Entry.Requested(
          "00ff",
          1_795_243_300_000L,
          new UpgradeRequest(
              "demo", "/boot/ä", "/boot/initrd", List.of(3), List.of(), List.of(), false, 0, null));

  @TempDir Path root;
  private final List<Upgrade> prefixes = new ArrayList<>();
  private Path file = Path.of("");

  /** A journal of two phases; the upgrade after each of its lines. */
  @BeforeEach
  void write() throws IOException {
    file = root.resolve("demo").resolve("00ff.jsonl");
    try (var folder = JournalFolder.open(root);
        Journal journal = folder.create(FIRST)) {
      var numbers = new AtomicLong();
      Upgrade upgrade = Upgrade.begin(FIRST);
      prefixes.add(upgrade);
      Input input = new Input.Begin();
      for (int phase = 0; phase < 2; phase++) {
        List<Entry> entries = Decider.decide(upgrade, input, numbers::incrementAndGet, 1);
        journal.append(entries);
        for (Entry entry : entries) {
          upgrade = upgrade.apply(entry);
          prefixes.add(upgrade);
        }
        input = new Input.Replied(numbers.get(), Map.of("text", "line\nfeed", "n", 1), null);
      }
    }
  }

  @Test
  void whatWasWrittenIsRead() throws IOException {
    Journal.Contents contents = Journal.read(file).orElseThrow();
    assertThat(contents.upgrade()).isEqualTo(prefixes.getLast());
    assertThat(contents.events()).hasSize((int) contents.upgrade().sequence());
    assertThat(Files.readString(file)).hasLineCount(prefixes.size());
  }

  @Test
  void cutAnywhereItIsReadUpToTheLastWholeLineAndGoesOnFromThere() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length <= whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      int lines =
          (int)
              new String(cut, java.nio.charset.StandardCharsets.ISO_8859_1)
                  .chars()
                  .filter(c -> c == '\n')
                  .count();
      Files.write(file, cut);
      var contents = Journal.read(file);
      if (lines == 0) {
        assertThat(contents).as("cut at %d", length).isEmpty();
        continue;
      }
      Upgrade upgrade = contents.orElseThrow().upgrade();
      assertThat(upgrade).as("cut at %d", length).isEqualTo(prefixes.get(lines - 1));
      if (length % 16 != 0 && cut[length - 1] != '\n') {
        continue; // Going on waits for the disk: not after every byte.
      }
      var more = new Entry.Continued(2, null);
      try (var folder = JournalFolder.open(root);
          Journal journal = folder.reopen(upgrade)) {
        journal.append(List.of(more));
      }
      assertThat(Journal.read(file).orElseThrow().upgrade())
          .as("cut at %d, then continued", length)
          .isEqualTo(upgrade.apply(more));
    }
  }

  @Test
  void anyDamagedByteIsNoticed() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    for (int position = 0; position < whole.length - 1; position++) {
      byte[] damaged = whole.clone();
      damaged[position] ^= 0x04;
      Files.write(file, damaged);
      assertThatThrownBy(() -> Journal.read(file))
          .as("damaged at %d", position)
          .isInstanceOf(JournalException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining("is damaged")
          .hasMessageContaining("Put the file back from a backup");
    }
  }

  @Test
  void aMissingLineIsNoticed() throws IOException {
    List<String> lines = Files.readAllLines(file);
    lines.remove(2);
    Files.write(file, lines);
    assertThatThrownBy(() -> Journal.read(file)).isInstanceOf(JournalException.class);
  }

  @Test
  void aDamagedJournalKeepsTheFolderFromBeingRead() throws IOException {
    Files.writeString(file, "{}\n" + Files.readString(file));
    try (var folder = JournalFolder.open(root)) {
      assertThatThrownBy(folder::readAll)
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("line 1");
    }
  }

  @Test
  void aFolderHasOneUser() throws IOException {
    try (var folder = JournalFolder.open(root)) {
      assertThat(folder.readAll()).hasSize(1);
      assertThatThrownBy(() -> JournalFolder.open(root))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("another control plane uses it");
    }
    JournalFolder.open(root).close();
  }
}
