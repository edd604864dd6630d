package io.twinkernel.control.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.twinkernel.control.json.Json;
import io.twinkernel.control.upgrade.Entry;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * The form of a line: the entry as a JSON object whose last field, {@code crc}, is the CRC-32C
 * (Castagnoli) of the UTF-8 bytes of the object without that field, as eight hexadecimal digits.
 */
final class Line {
  private static final String MARK = ",\"crc\":\"";
  private static final int TAIL = MARK.length() + 8 + 2;

  private Line() {}

  /** With the line feed. */
  static String write(Entry entry) {
    String json = Json.write(entry);
    return json.substring(0, json.length() - 1) + MARK + crc(json) + "\"}\n";
  }

  /**
   * @param line without the line feed
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static Entry read(String line) {
    int end = line.length() - TAIL;
    if (end < 0 || !line.startsWith(MARK, end) || !line.endsWith("\"}")) {
      throw new IllegalArgumentException("it does not end with a checksum");
    }
    String json = line.substring(0, end) + "}";
    String written = line.substring(end + MARK.length(), line.length() - 2);
    if (!written.equals(crc(json))) {
      throw new IllegalArgumentException(
          "its checksum is " + crc(json) + " where " + written + " is written");
    }
    try {
      return Json.STRICT.readValue(json, Entry.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(Json.complaint(e), e);
    }
  }

  private static String crc(String json) {
    var crc = new CRC32C();
    crc.update(json.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
