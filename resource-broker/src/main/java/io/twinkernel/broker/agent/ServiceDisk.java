package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.disk.BlockDevice;
import io.twinkernel.broker.disk.Ext4Superblock;
import io.twinkernel.broker.disk.Mount;
import io.twinkernel.broker.pci.BusAhead;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.broker.plan.DiskFacts;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.FileSystems;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The disk that goes over with the processes, on the kernel that gives it. Its mount and the files
 * that processes have open stay here, held still twice over, and go on should it come back:
 *
 * <pre>
 *   hold     the file system is frozen: all of it is on the disk, and writes wait
 *   release  the driver is frozen: the device is reset, and reads wait as well
 * </pre>
 *
 * <p>Never do both kernels use it. B mounts it only when it is told that it was released, which is
 * after both. It comes back only before that, or when B runs no more; the processes' writes wait
 * for ever rather than that it does while B may have it.
 *
 * <p>Until the commit B keeps it frozen, too: of its mount there is nothing on the disk but the
 * superblock, which this kernel writes anew from its own memory when it thaws.
 */
final class ServiceDisk {
  private static final Path RECORD = Path.of("/run/twin/service-disk");

  private final TwinDevice device;
  private final Mount mount;
  private final BlockDevice block;
  private final HostBridge bridge;
  private final BusAhead bus;
  private final Ext4Superblock superblock;
  private volatile boolean released;
  private volatile boolean told;

  private ServiceDisk(
      TwinDevice device,
      Mount mount,
      BlockDevice block,
      HostBridge bridge,
      BusAhead bus,
      Ext4Superblock superblock) {
    this.device = device;
    this.mount = mount;
    this.block = block;
    this.bridge = bridge;
    this.bus = bus;
    this.superblock = superblock;
  }

  /**
   * Finds the disk, and notes it for a broker that starts anew in the middle of a switch.
   *
   * @param point where it is mounted; empty: none goes over
   */
  static Optional<ServiceDisk> capture(TwinDevice device, Optional<String> point)
      throws IOException, BrokerException {
    Files.deleteIfExists(RECORD);
    if (point.isEmpty()) {
      return Optional.empty();
    }
    DiskFacts facts = DiskFacts.read(Path.of("/"), point.get());
    Mount mount = facts.mounted();
    BlockDevice block =
        facts
            .device()
            .orElseThrow(() -> new IOException(point.get() + " is on no PCI function's disk"));
    Ext4Superblock superblock =
        facts.superblock().orElseThrow(() -> new IOException(point.get() + " is not ext4"));
    Files.createDirectories(RECORD.getParent());
    Files.write(RECORD, List.of(block.function(), mount.point()));
    HostBridge bridge = Preparation.hostBridge(block.bus());
    return Optional.of(
        new ServiceDisk(device, mount, block, bridge, BusAhead.of(bridge), superblock));
  }

  /** Where it is mounted. */
  String point() {
    return mount.point();
  }

  /** What B needs to know to mount it; {@link IncomingDisk#read} reads it. */
  Map<String, Object> toJson() {
    return Map.of(
        "point",
        mount.point(),
        "function",
        block.function(),
        "partition",
        block.partition(),
        "bridge",
        HostBridges.format(List.of(bridge)),
        "bus",
        bus.toJson(),
        "flags",
        mount.flags(),
        "data",
        mount.data(),
        "uuid",
        superblock.uuid());
  }

  /** Leaves less for {@link #hold} to write. */
  void sync() throws IOException {
    FileSystems.sync(mount.point());
  }

  /**
   * Freezes the file system; what is read from it is still to be had. Nobody may write to it who
   * does not move.
   *
   * @param gap receives what lets writes go on
   * @throws IOException also if B's mount would change more than can be taken back
   */
  void hold(Undo gap) throws IOException {
    FileSystems.freeze(mount.point());
    gap.push("letting writes to " + mount.point() + " go on", this::thaw);
    Optional<String> unsettled =
        Ext4Superblock.read(Path.of("/dev").resolve(block.name())).unsettled();
    if (unsettled.isPresent()) {
      throw new IOException(mount.point() + ": " + unsettled.get());
    }
  }

  /** The files on it that processes have open. */
  private List<String> openFiles(List<ServiceProcess> processes) throws IOException {
    String below = mount.point() + "/";
    var found = new TreeSet<String>();
    for (ServiceProcess process : processes) {
      Path folder = Path.of("/proc/" + process.pid() + "/fd");
      try (var descriptors = Files.newDirectoryStream(folder)) {
        for (Path descriptor : descriptors) {
          String target = Files.readSymbolicLink(descriptor).toString();
          if (target.startsWith(below)) {
            found.add(target);
          }
        }
      }
    }
    return List.copyOf(found);
  }

  /**
   * Stops the device for the other kernel, and tells it.
   *
   * @param processes whose files on it B does not know yet
   * @param gap receives what takes it back
   */
  void release(List<ServiceProcess> processes, Undo gap, Peer peer, Trace trace)
      throws IOException {
    long from = Tsc.read();
    List<String> open = openFiles(processes);
    device.freezePci(block.function());
    released = true;
    gap.push("taking the disk back", this::takeBack);
    trace.add("disk-release", from);
    told = true;
    peer.send(FrameType.DISK_RELEASED, Map.of("open", open, "sent_tsc", Tsc.read()));
  }

  /** Whether B may use it. */
  boolean withB() {
    return told;
  }

  /** B has let go of it, while it runs. */
  void free() {
    told = false;
  }

  private void takeBack() throws IOException {
    if (told && device.info().state() == TwinInfo.State.RUNNING) {
      throw new IOException("kernel B may run and have it mounted: it is left alone");
    }
    device.resumePci(block.function());
    released = false;
  }

  private void thaw() throws IOException {
    if (released) {
      throw new IOException("the disk is not back");
    }
    FileSystems.thaw(mount.point());
  }

  /** Whether a disk goes over, or went. */
  static boolean recorded() {
    return Files.exists(RECORD);
  }

  /**
   * Takes the disk back that an earlier life of this program let go of, where there is one. B must
   * not have it, or run no more.
   */
  static void recover(TwinDevice device) throws IOException {
    if (!recorded()) {
      return;
    }
    List<String> lines = Files.readAllLines(RECORD);
    try {
      device.resumePci(lines.getFirst());
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ENOENT)) {
        throw e;
      }
    }
    FileSystems.thawIfFrozen(lines.getLast());
  }
}
