package io.twinkernel.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class JsonTest {
  @Test
  void whatIsWrittenIsReadAgain() throws Exception {
    for (int seed = 0; seed < 500; seed++) {
      Map<String, Object> object = object(new Random(seed), 0);
      String line = Json.write(object);
      assertThat(line).doesNotContain("\n");
      assertThat(Json.parse(line)).isEqualTo(object);
    }
  }

  @Test
  void damagedTextIsRefusedAndNothingElseHappens() {
    String sound =
        "{\"type\":\"command\",\"command\":7,\"arguments\":{\"cpus\":[3,2],\"x\":1.5,\"y\":null}}";
    var random = new Random(11);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder(sound);
      for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.deleteCharAt(at);
          case 1 -> text.setCharAt(at, (char) random.nextInt(0x180));
          default -> text.insert(at, "{}[]\",:0-e".charAt(random.nextInt(10)));
        }
      }
      try {
        Command.fromJson(new Fields(Json.parse(text.toString())));
      } catch (MalformedMessageException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(10_000);
  }

  @Test
  void refusesWhatIsNotOneObject() {
    for (String text : List.of("", "[]", "7", "{} {}", "{", "{\"a\":[null]}", "{\"a\":")) {
      assertThatThrownBy(() -> Json.parse(text))
          .as("text %s", text)
          .isInstanceOf(MalformedMessageException.class);
    }
    String deep = "{\"a\":".repeat(100) + "1" + "}".repeat(100);
    assertThatThrownBy(() -> Json.parse(deep)).isInstanceOf(MalformedMessageException.class);
  }

  @Test
  void fieldsNameWhatIsWrong() throws Exception {
    var fields = new Fields(Json.parse("{\"cpus\":[3,\"a\"],\"big\":[4294967296],\"n\":\"x\"}"));
    assertThatThrownBy(() -> fields.numbers("cpus")).hasMessageContaining("'cpus'");
    assertThatThrownBy(() -> fields.numbers("big")).hasMessageContaining("'big'");
    assertThatThrownBy(() -> fields.number("n")).hasMessageContaining("'n'");
    assertThatThrownBy(() -> fields.text("missing")).hasMessageContaining("'missing'");
    assertThat(fields.texts("missing")).isEmpty();
  }

  private static Map<String, Object> object(Random random, int depth) {
    var object = new LinkedHashMap<String, Object>();
    for (int i = random.nextInt(5); i > 0; i--) {
      object.put(text(random), value(random, depth));
    }
    return object;
  }

  private static Object value(Random random, int depth) {
    return switch (random.nextInt(depth < 4 ? 6 : 4)) {
      case 0 -> text(random);
      case 1 -> random.nextLong();
      case 2 -> random.nextDouble();
      case 3 -> random.nextBoolean();
      case 4 -> object(random, depth + 1);
      default -> {
        var list = new ArrayList<Object>();
        for (int i = random.nextInt(4); i > 0; i--) {
          list.add(value(random, depth + 1));
        }
        yield list;
      }
    };
  }

  private static String text(Random random) {
    var text = new StringBuilder();
    for (int i = random.nextInt(8); i > 0; i--) {
      text.append((char) random.nextInt(0xd800));
    }
    return text.toString();
  }
}
