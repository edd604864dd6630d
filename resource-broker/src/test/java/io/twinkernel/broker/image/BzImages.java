package io.twinkernel.broker.image;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Files with the boot headers and sizes of Debian's kernels, and holes where their code is.
 *
 * @param header the 128 bytes from offset 0x1f0
 * @param version as it lies in the setup code
 * @param size of the file
 */
record BzImages(String header, String version, long size) {

  private static final int VERSION_AT = 0x44c0;

  static final BzImages BOOKWORM =
      new BzImages(
          """
          ff270100207e0d000000ffff000055aaeb6a486472530f02000000000010c042\
          0001008000001000000000000000000000000000e05b000000000000ffffff7f\
          0000200001157f00ff070000000000000000000000000000cc020000a758d600\
          0000000000000000000000010000000000703703f0f0d600fcbad7008cd88ec0""",
          "6.1.0-54-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian"
              + " 6.1.190-1 (2026-10-16)",
          14_168_576);

  static final BzImages BACKPORTS =
      new BzImages(
          """
          ff270100200e0b000000ffff000055aaeb6a486472530f02000000000010c042\
          0001008000001000000000000000000000000000005c000000000000ffffff7f\
          0000200001157f00ff070000000000000000000000000000cc020000da75ad00\
          0000000000000000000000010000000000c07d03d0abaf001cb4b0008cd88ec0""",
          "6.12.95+deb12-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC"
              + " Debian 6.12.95-1~bpo12+1 (2026-07-05)",
          11_612_672);

  Path write(Path file) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek(0x1f0);
      out.write(HexFormat.of().parseHex(header));
      out.seek(VERSION_AT);
      out.write(version.getBytes(StandardCharsets.US_ASCII));
      out.setLength(size);
    }
    return file;
  }

  /** The same with some bytes of the header changed. */
  Path writeChanged(Path file, int at, int... bytes) throws IOException {
    write(file);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek(at);
      for (int value : bytes) {
        out.write(value);
      }
    }
    return file;
  }
}
