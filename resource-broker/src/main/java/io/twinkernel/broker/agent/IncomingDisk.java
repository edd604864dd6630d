package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.disk.BlockDevice;
import io.twinkernel.broker.disk.Ext4Superblock;
import io.twinkernel.broker.pci.BusAhead;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.FileSystems;
import io.twinkernel.ffi.Mounts;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The disk that comes with the processes, on the kernel that takes it. Mounted and frozen at once:
 * until the commit nothing is written but the superblock, so that A can have it back. Opening a
 * file for writing is no write; making or removing one is, and waits.
 *
 * @param point where it is to be mounted
 * @param function its PCI address
 * @param flags MS_*, as A has it mounted
 * @param data ext4's own options, likewise
 * @param uuid of the file system
 */
record IncomingDisk(
    String point,
    String function,
    int partition,
    HostBridge bridge,
    BusAhead bus,
    long flags,
    String data,
    String uuid) {

  private static final Path SYS = Path.of("/sys");
  private static final String TYPE = "ext4";

  /** A new file system's inode tables are cleared when it is mounted, by ext4lazyinit. */
  private static final String NOT_YET = "noinit_itable";

  private static final String AS_USUAL = "init_itable";

  /**
   * Reads what {@link ServiceDisk#toJson} said, and looks whether this kernel can do it.
   *
   * @return empty if no disk comes
   * @throws IOException naming the module that is not loaded
   */
  static Optional<IncomingDisk> read(Fields stage) throws IOException {
    List<Fields> disks = stage.objects("disks");
    if (disks.isEmpty()) {
      return Optional.empty();
    }
    Fields disk = disks.getFirst();
    if (!Files.readString(Path.of("/proc/filesystems")).contains("\t" + TYPE + "\n")) {
      throw new IOException("this kernel has not loaded ext4, which the disk needs");
    }
    if (!Files.exists(SYS.resolve("bus/virtio/drivers/virtio_blk"))) {
      throw new IOException("this kernel has not loaded virtio_blk, which the disk needs");
    }
    String point = disk.text("point");
    Files.createDirectories(Path.of(point));
    return Optional.of(
        new IncomingDisk(
            point,
            disk.text("function"),
            Math.toIntExact(disk.number("partition")),
            HostBridges.parse(disk.texts("bridge")).getFirst(),
            BusAhead.fromJson(disk.object("bus")),
            disk.number("flags"),
            disk.text("data"),
            disk.text("uuid")));
  }

  /** What is left of taking it is its driver's part. */
  void prepare(TwinDevice device) throws SyscallException {
    bus.prepare(device, ssdt());
  }

  private byte[] ssdt() {
    return AcpiTables.ssdt(bridge, "TWINDISK");
  }

  /**
   * A has let go of it: takes it, and mounts it.
   *
   * @param open files on it that will be opened
   * @throws IOException also if a mount would change more than A can take back
   */
  void mount(TwinDevice device, List<String> open, Trace trace, long from) throws IOException {
    long at = from;
    device.adoptPci(ssdt());
    String name = BlockDevice.find(SYS, function, partition);
    at = trace.add("disk-bind", at);
    Path node = Path.of("/dev").resolve(name);
    Ext4Superblock superblock = Ext4Superblock.read(node);
    if (!superblock.uuid().equals(uuid)) {
      throw new IOException(node + " is another file system than A's on " + point);
    }
    Optional<String> unsettled = superblock.unsettled();
    if (unsettled.isPresent()) {
      throw new IOException(node + ": " + unsettled.get());
    }
    Mounts.mount(node.toString(), point, TYPE, flags, with(NOT_YET));
    FileSystems.freeze(point);
    // A file that is not yet looked up is opened for writing only where it could be made, too:
    // not while this is frozen (fs/namei.c, open_last_lookups()).
    for (String file : open) {
      if (!Files.exists(Path.of(file))) {
        throw new IOException("A's processes have " + file + " open, which is not on the disk");
      }
    }
    trace.add("disk-mount", at);
  }

  private String with(String option) {
    return data.isEmpty() ? option : data + "," + option;
  }

  /**
   * Stops the device, so that A can have it back: the mount stays, frozen, as long as this kernel
   * does, and never reaches the disk any more.
   */
  void letGo(TwinDevice device) throws IOException {
    device.freezePci(function);
  }

  /** It is this kernel's. */
  void thaw() throws IOException {
    FileSystems.thaw(point);
  }

  /** Has it as A had it in all respects. */
  void settle() {
    boolean readOnly = (flags & Linux.MS_RDONLY()) != 0;
    if (!readOnly && !List.of(data.split(",", -1)).contains(NOT_YET)) {
      try {
        Mounts.mount("none", point, TYPE, flags | Linux.MS_REMOUNT(), with(AS_USUAL));
      } catch (SyscallException e) {
        KernelLog.say("the disk works, but its inode tables are not cleared: " + e.getMessage());
      }
    }
  }
}
