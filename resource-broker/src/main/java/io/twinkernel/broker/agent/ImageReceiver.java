package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Takes what is large: files of process images, written below one folder, and pages. */
final class ImageReceiver {
  private final Path root;
  private final PrestagedProcesses copies;
  private @Nullable Fd open;
  private Path known;

  /**
   * @param copies take the pages that come between files
   */
  ImageReceiver(Path root, PrestagedProcesses copies) {
    this.root = root;
    this.copies = copies;
    this.known = root;
  }

  /** Takes the messages that carry images; the others go to the inbox. */
  void receive(Inbox inbox, int type, MemorySegment payload) throws IOException {
    if (type >= FrameType.FILE_OPEN && type <= FrameType.FILE_LINK) {
      receive(type, payload);
    } else if (type == FrameType.PAGES) {
      copies.takePages(payload);
    } else if (type == FrameType.MEMORY_SHAPE) {
      copies.takeMemoryShape(payload.toArray(ValueLayout.JAVA_BYTE));
    } else if (type == FrameType.DESCRIPTORS) {
      copies.takeDescriptors(payload.toArray(ValueLayout.JAVA_BYTE));
    } else if (type == FrameType.THREADS) {
      copies.takeThreads(payload.toArray(ValueLayout.JAVA_BYTE));
    } else if (type == FrameType.REGISTERS) {
      copies.takeRegisters(payload.toArray(ValueLayout.JAVA_BYTE));
    } else if (type == FrameType.FILES_FORGET) {
      close();
      ProcessCopy.clear(root);
      known = root;
    } else {
      inbox.put(type, payload.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private void receive(int type, MemorySegment payload) throws IOException {
    switch (type) {
      case FrameType.FILE_OPEN -> {
        close();
        Path file = resolve(text(payload));
        Path folder = file.getParent();
        if (folder != null && !folder.equals(known)) {
          Files.createDirectories(folder);
          known = folder;
        }
        open = Fd.open(file.toString(), Linux.O_WRONLY() | Linux.O_CREAT() | Linux.O_TRUNC());
      }
      case FrameType.FILE_DATA -> writeAll(current(), payload);
      case FrameType.FILES_END -> close();
      case FrameType.FILE_LINK -> {
        String[] parts = text(payload).split("\n", 2);
        if (parts.length != 2) {
          throw new IOException("a symbolic link without a target");
        }
        Path file = resolve(parts[0]);
        // Checked as a file would be: a link may not lead out of the folder either.
        resolve(root.relativize(file.resolveSibling(parts[1]).normalize()).toString());
        Files.createDirectories(file.getParent());
        Files.createSymbolicLink(file, Path.of(parts[1]));
      }
      default -> throw new IllegalArgumentException("message type " + type);
    }
  }

  private void close() throws IOException {
    Fd file = open;
    if (file != null) {
      file.close();
      open = null;
    }
  }

  private Fd current() throws IOException {
    Fd file = open;
    if (file == null) {
      throw new IOException("file data before the file's name");
    }
    return file;
  }

  private Path resolve(String name) throws IOException {
    Path file = root.resolve(name).normalize();
    if (!file.startsWith(root) || file.equals(root)) {
      throw new IOException("the name '" + name + "' leads out of " + root);
    }
    return file;
  }

  private static String text(MemorySegment payload) {
    return new String(payload.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private static void writeAll(Fd file, MemorySegment payload) throws IOException {
    long done = 0;
    while (done < payload.byteSize()) {
      done += file.write(payload.asSlice(done));
    }
  }
}
