package io.twinkernel.broker.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What CRIU itself counted in one request (images/stats.proto); zero where it does not apply.
 *
 * @param freezingMicros until all tasks were seized
 * @param frozenMicros how long the tasks could not run, in µs
 * @param memoryMicros of it, to find and take the memory
 * @param writeMicros to write the memory
 * @param pagesWritten 4 KiB pages written
 * @param pagesSkipped pages left to the parent image
 * @param forkMicros to create the tasks of a restore
 * @param restoreMicros of the whole restore
 * @param pagesRestored pages put back
 */
public record CriuStatistics(
    long freezingMicros,
    long frozenMicros,
    long memoryMicros,
    long writeMicros,
    long pagesWritten,
    long pagesSkipped,
    long forkMicros,
    long restoreMicros,
    long pagesRestored) {

  /** Two magic numbers and the entry's size come before the entry (criu/image.c). */
  private static final int HEADER = 12;

  static CriuStatistics read(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    byte[] entry = new byte[Math.max(0, bytes.length - HEADER)];
    System.arraycopy(bytes, bytes.length - entry.length, entry, 0, entry.length);
    long[] dump = new long[16];
    long[] restore = new long[16];
    ProtobufReader in = new ProtobufReader(entry);
    while (in.next()) {
      long[] into = in.field() == 1 ? dump : restore;
      ProtobufReader part = in.message();
      while (part.next()) {
        if (part.field() < into.length) {
          into[part.field()] = part.number();
        }
      }
    }
    return new CriuStatistics(
        dump[1], dump[2], dump[3], dump[4], dump[7], dump[6], restore[3], restore[4], restore[5]);
  }
}
