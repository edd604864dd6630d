package io.twinkernel.broker.pci;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A function's configuration space through its sysfs file. */
final class PciConfig {
  /** PCI_COMMAND and PCI_COMMAND_MASTER, linux/pci_regs.h. */
  private static final int COMMAND = 4;

  private static final int COMMAND_MASTER = 4;

  private PciConfig() {}

  /** Forbids the function to write to memory. */
  static void clearBusMaster(String config) throws IOException {
    try (var file =
        FileChannel.open(Path.of(config), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer command = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
      file.read(command, COMMAND);
      short value = command.flip().getShort();
      if ((value & COMMAND_MASTER) != 0) {
        command.clear().putShort((short) (value & ~COMMAND_MASTER));
        file.write(command.flip(), COMMAND);
      }
    }
  }
}
