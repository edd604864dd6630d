package io.twinkernel.control.journal;

import java.io.IOException;
import java.nio.file.Path;

/** A journal cannot be read or written; says what to do about it. */
public final class JournalException extends IOException {
  JournalException(Path file, String why, String todo) {
    super("journal " + file + ": " + why + ". " + todo);
  }

  JournalException(Path file, String why, String todo, Throwable cause) {
    super("journal " + file + ": " + why + ". " + todo, cause);
  }
}
