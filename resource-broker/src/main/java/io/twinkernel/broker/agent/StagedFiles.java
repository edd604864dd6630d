package io.twinkernel.broker.agent;

import io.twinkernel.broker.policy.NeededFile;
import io.twinkernel.broker.protocol.Fields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The files of the image that processes have open or mapped: B looks whether it has them, too. */
final class StagedFiles {
  private StagedFiles() {}

  static List<Map<String, Object>> toJson(List<NeededFile> files) {
    return files.stream()
        .map(
            file ->
                Map.<String, Object>of(
                    "path", file.path(), "bytes", file.bytes(), "user", file.user()))
        .toList();
  }

  /**
   * B: fails unless every file is here, with the size that CRIU will ask for.
   *
   * @throws IOException naming each that is not, and who needs it
   */
  static void require(Fields stage) throws IOException {
    var missing = new ArrayList<String>();
    for (Fields file : stage.objects("files")) {
      Path path = Path.of(file.text("path"));
      long bytes = file.number("bytes");
      if (!Files.exists(path)) {
        missing.add(file.text("user") + " -> " + path + ": kernel B's image does not have it");
      } else if (bytes >= 0 && Files.isRegularFile(path) && Files.size(path) != bytes) {
        missing.add(
            file.text("user")
                + " -> "
                + path
                + ": it has "
                + bytes
                + " bytes, in kernel B's image "
                + Files.size(path));
      }
    }
    if (!missing.isEmpty()) {
      throw new IOException(String.join("; ", missing));
    }
  }
}
