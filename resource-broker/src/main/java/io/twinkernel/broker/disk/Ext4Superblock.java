package io.twinkernel.broker.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What matters of an ext4 superblock (Documentation/filesystems/ext4/super.rst).
 *
 * @param uuid of the file system, in hexadecimal
 * @param state EXT4_VALID_FS and the like
 * @param journalInode 0 if the journal is on another device
 * @param lastOrphan the first of the inodes that have lost their name and are still in use, 0 for
 *     none
 * @param errors that the kernel has found
 */
public record Ext4Superblock(
    String uuid,
    int state,
    int compatible,
    int incompatible,
    int readOnlyCompatible,
    int journalInode,
    int lastOrphan,
    int errors) {

  private static final int OFFSET = 1024;
  private static final int BYTES = 1024;
  private static final int MAGIC = 0xef53;

  private static final int STATE_ERRORS = 2;
  private static final int HAS_JOURNAL = 0x4;
  private static final int RECOVER = 0x4;
  private static final int MULTIPLE_MOUNT_PROTECTION = 0x100;
  private static final int QUOTA = 0x100;
  private static final int ORPHAN_PRESENT = 0x10000;

  /**
   * Reads it, from the kernel's cache of the device where that has it.
   *
   * @throws IOException also if there is none
   */
  public static Ext4Superblock read(Path device) throws IOException {
    var bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (var file = FileChannel.open(device, StandardOpenOption.READ)) {
      while (bytes.hasRemaining()) {
        if (file.read(bytes, OFFSET + bytes.position()) < 0) {
          throw new IOException(device + " ends before its superblock does");
        }
      }
    }
    return parse(device.toString(), bytes.flip());
  }

  private static Ext4Superblock parse(String device, ByteBuffer bytes) throws IOException {
    if (Short.toUnsignedInt(bytes.getShort(0x38)) != MAGIC) {
      throw new IOException(device + " has no ext4 superblock");
    }
    byte[] uuid = new byte[16];
    bytes.get(0x68, uuid);
    return new Ext4Superblock(
        HexFormat.of().formatHex(uuid),
        bytes.getShort(0x3a),
        bytes.getInt(0x5c),
        bytes.getInt(0x60),
        bytes.getInt(0x64),
        bytes.getInt(0xe0),
        bytes.getInt(0xe8),
        bytes.getInt(0x194));
  }

  /** Why the file system cannot go over, whatever its state; empty: it can. */
  public List<String> unsuited() {
    var why = new ArrayList<String>();
    if ((compatible & HAS_JOURNAL) == 0) {
      why.add("it has no journal: mounting it marks it as not clean, which cannot be taken back");
    } else if (journalInode == 0) {
      why.add("its journal is on another device");
    }
    if ((incompatible & MULTIPLE_MOUNT_PROTECTION) != 0) {
      why.add("it has multiple mount protection (mmp), which writes while it is frozen");
    }
    if ((readOnlyCompatible & QUOTA) != 0) {
      why.add("it has quotas, which are read and written when it is mounted");
    }
    if ((state & STATE_ERRORS) != 0 || errors != 0) {
      why.add("it has errors on record (" + errors + "): have e2fsck look at it first");
    }
    return List.copyOf(why);
  }

  /**
   * Why a kernel that mounts it would change more than this superblock, which the kernel that froze
   * it writes anew should it have it back; empty: nothing.
   */
  public Optional<String> unsettled() {
    if ((incompatible & RECOVER) != 0) {
      return Optional.of("its journal has to be replayed");
    }
    if (lastOrphan != 0 || (readOnlyCompatible & ORPHAN_PRESENT) != 0) {
      return Optional.of("a file without a name is in use on it, and goes when it is mounted");
    }
    return Optional.empty();
  }
}
