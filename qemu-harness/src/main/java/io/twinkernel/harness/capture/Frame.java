package io.twinkernel.harness.capture;

import java.nio.ByteBuffer;

/**
 * One captured frame.
 *
 * @param atNanos when, in ns since 1970
 * @param bytes its beginning from the link layer on, as much as was captured; read-only
 */
record Frame(long atNanos, ByteBuffer bytes) {
  Frame {
    bytes = bytes.asReadOnlyBuffer();
  }
}
