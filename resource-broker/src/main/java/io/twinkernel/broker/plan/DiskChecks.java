package io.twinkernel.broker.plan;

import io.twinkernel.broker.disk.BlockDevice;
import io.twinkernel.broker.disk.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Whether a disk can go over with what is mounted from it. */
public final class DiskChecks {
  /** What another kernel would have to write before it is known that the disk stays there. */
  private static final Set<String> UNSUITED =
      Set.of("dax", "lazytime", "sync", "dirsync", "quota", "usrquota", "grpquota", "prjquota");

  private DiskChecks() {}

  /** Every refusal; empty: it can. */
  public static List<Refusal> refusals(NodeFacts node, PlanRequest request, DiskFacts disk) {
    var refusals = new ArrayList<Refusal>();
    Optional<Mount> found = disk.mount();
    if (found.isEmpty()) {
      refusals.add(
          refusal(
              "disk-not-mounted",
              disk,
              "nothing is mounted there",
              "mount it, or take 'move disk' out of the policy"));
      return List.copyOf(refusals);
    }
    Mount mount = found.get();
    fileSystem(disk, mount, refusals);
    mounts(disk, mount, refusals);
    if (disk.device().isPresent()) {
      device(node, request, disk, disk.device().get(), refusals);
    } else {
      refusals.add(
          refusal(
              "disk-without-function",
              disk,
              "device "
                  + mount.device()
                  + " is not a PCI function's own: a loop, device mapper, RAID or a network",
              "use a file system directly on a disk or its partition"));
    }
    return List.copyOf(refusals);
  }

  private static void fileSystem(DiskFacts disk, Mount mount, List<Refusal> refusals) {
    if (!mount.type().equals("ext4")) {
      refusals.add(
          refusal(
              "disk-not-ext4",
              disk,
              "it is "
                  + mount.type()
                  + ": what a mount by another kernel changes on it, and has to be taken back"
                  + " where the upgrade fails, is known of ext4 only",
              "use ext4"));
    }
    disk.superblock()
        .ifPresent(
            superblock ->
                superblock
                    .unsuited()
                    .forEach(
                        why ->
                            refusals.add(
                                refusal("disk-unsuited", disk, why, "change that by tune2fs(8)"))));
    for (String option : mount.superOptions()) {
      String name = option.split("=", 2)[0];
      if (UNSUITED.contains(name) || name.endsWith("jquota")) {
        refusals.add(
            refusal(
                "disk-unsuited",
                disk,
                "it is mounted with '" + option + "', with which nobody has tried this",
                "mount it without"));
      }
    }
  }

  private static void mounts(DiskFacts disk, Mount mount, List<Refusal> refusals) {
    if (!mount.root().equals("/")) {
      refusals.add(
          refusal(
              "disk-mounted-twice",
              disk,
              "only the directory " + mount.root() + " of the file system is mounted there",
              "name where all of it is mounted"));
    }
    for (Mount other : disk.mounts()) {
      if (other.device().equals(mount.device()) && !other.equals(mount)) {
        refusals.add(
            refusal(
                "disk-mounted-twice",
                disk,
                "it is mounted on " + other.point() + " as well",
                "unmount it there"));
      } else if (other.point().startsWith(disk.point() + "/")) {
        refusals.add(
            refusal(
                "disk-mounted-upon",
                disk,
                "below it something else is mounted, on " + other.point(),
                "mount that elsewhere"));
      }
    }
    for (String image : disk.images()) {
      refusals.add(
          refusal(
              "disk-in-use", disk, "this kernel itself uses a file on it: " + image, "end that"));
    }
  }

  private static void device(
      NodeFacts node,
      PlanRequest request,
      DiskFacts disk,
      BlockDevice device,
      List<Refusal> refusals) {
    if (!device.virtio() || !device.driver().equals("virtio-pci")) {
      refusals.add(
          refusal(
              "disk-driver",
              disk,
              device.name()
                  + " is driven by '"
                  + device.driver()
                  + "', of which nobody has tried whether it comes back where the upgrade fails",
              "use virtio-blk"));
    }
    if (device.bus().equals(request.serviceBus())) {
      refusals.add(
          refusal(
              "disk-beside-nic",
              disk,
              "it is on bus " + device.bus() + ", as the service's NIC is",
              "put it behind a root port of its own"));
      return;
    }
    if (request.buses().contains(device.bus())) {
      return; // a bus in use: refused as such
    }
    BusChecks.switched(node, device.bus(), device.function(), refusals);
    for (String use : node.function(device.function()).map(PciFunction::uses).orElse(List.of())) {
      if (!use.equals(device.name() + " is mounted on " + disk.point())) {
        refusals.add(
            refusal(
                "disk-in-use",
                disk,
                "the same disk is used otherwise, too: " + use,
                "free it, or put it on a disk of its own"));
      }
    }
  }

  private static Refusal refusal(String code, DiskFacts disk, String why, String todo) {
    return new Refusal(code, "the disk on " + disk.point(), why, todo);
  }
}
