package io.twinkernel.broker.process;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.ffi.Mounts;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Has CRIU see forks as the tree that their processes are. To the kernel all of them are children
 * of init: none but the process itself can have a child that is like it. CRIU learns of a tree from
 * two files of procfs (parse_children() and parse_pid_status() in criu/proc_parse.c), of which each
 * fork gets another one here, mounted over it. It stands still, so nothing else in them changes.
 *
 * <p>A mount ends with the fork at the latest (d_invalidate(), fs/dcache.c).
 */
final class ForkFamily implements AutoCloseable {
  private final List<Path> mounts = new ArrayList<>();
  private final List<Path> files = new ArrayList<>();

  private ForkFamily() {}

  /**
   * @param tree stopped forks of all processes of one tree
   * @param folder where files can be for a while
   */
  static ForkFamily show(List<ForkedProcess> tree, Path folder) throws IOException {
    var family = new ForkFamily();
    try {
      for (ForkedProcess process : tree) {
        family.show(process, tree, folder);
      }
      return family;
    } catch (IOException e) {
      try {
        family.close();
      } catch (IOException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
  }

  private void show(ForkedProcess process, List<ForkedProcess> tree, Path folder)
      throws IOException {
    int fork = process.fork();
    Path proc = Path.of("/proc/" + fork);
    for (ForkedProcess parent : tree) {
      if (parent.pid() == process.parent()) {
        String status = SysFiles.read(proc.resolve("status").toString());
        mount(
            proc.resolve("status"),
            status.replaceFirst("\nPPid:\t\\d+\n", "\nPPid:\t" + parent.fork() + "\n"),
            folder.resolve("fork-" + fork + "-status"));
      }
    }
    String children =
        tree.stream()
            .filter(one -> one.parent() == process.pid())
            .map(one -> one.fork() + " ")
            .collect(Collectors.joining());
    if (!children.isEmpty()) {
      mount(
          proc.resolve("task/" + fork + "/children"),
          children,
          folder.resolve("fork-" + fork + "-children"));
    }
  }

  private void mount(Path place, String content, Path file) throws IOException {
    files.add(file);
    Files.writeString(file, content, US_ASCII);
    Mounts.mount(file.toString(), place.toString(), "", Linux.MS_BIND(), "");
    mounts.add(place);
  }

  /** All of them, even if one fails. */
  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (Path place : mounts.reversed()) {
      try {
        Mounts.unmount(place.toString(), Linux.MNT_DETACH());
      } catch (IOException e) {
        failure = e;
      }
    }
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
    if (failure != null) {
      throw failure;
    }
  }
}
