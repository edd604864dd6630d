package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Canary;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.ContainerMounts;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.CriuException;
import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.ffi.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Copies processes to the other kernel while they run: rounds of pre-dumps, each holding the pages
 * that changed since the one before, and in the end a dump of what is left.
 */
final class ProcessCopy {
  /** Where images lie, in both kernels; a tmpfs. */
  static final Path IMAGES = Path.of("/run/twin/images");

  /** CRIU's socket, logs and statistics. */
  static final Path WORK = Path.of("/run/twin/criu");

  /** A round that is not this much smaller than the one before says the dirty rate is reached. */
  private static final double WORTHWHILE = 0.7;

  /** Rounds below this size cost more than they save. */
  private static final long SMALL = 1 << 20;

  private static final int MOST_ROUNDS = 8;

  /** So often a process of no use is forked before one that clients wait for. */
  private static final int FORKS = 10;

  /** Nor is it looked at for the first time while it stands still what that has become. */
  private static final int FLIGHTS = 5;

  /**
   * One round.
   *
   * @param bytes sent
   * @param millis from start until B has written it all
   */
  record Round(long bytes, double millis) {}

  private final Criu criu;
  private final ServiceClocks clocks;
  private final ImageSender sender;
  private final Map<Integer, ContainerMounts> containers;
  private int folders;
  private int first;

  /**
   * @param clocks that CRIU has
   * @param containers the mounts of those that are containers, by PID
   */
  ProcessCopy(
      Criu criu,
      ServiceClocks clocks,
      ImageSender sender,
      Map<Integer, ContainerMounts> containers) {
    this.criu = criu;
    this.clocks = clocks;
    this.sender = sender;
    this.containers = Map.copyOf(containers);
  }

  /**
   * @throws Unstageable if a process has other clocks than CRIU
   */
  void requireClocks(int pid) throws IOException {
    clocks.require(pid);
  }

  /**
   * Makes room for images: a file system of their own, which takes what there is. That of /run
   * takes half of what this kernel had when it started, and it may have got more.
   */
  static void open() throws IOException {
    Files.createDirectories(IMAGES);
    if (!isOpen()) {
      Mounts.mount("twin-images", IMAGES.toString(), "tmpfs", 0, "mode=700,size=0");
    }
    clear(IMAGES);
  }

  private static boolean isOpen() throws IOException {
    Object outside = Files.getAttribute(Path.of("/run/twin"), "unix:dev");
    return !Files.getAttribute(IMAGES, "unix:dev").equals(outside);
  }

  /** Removes all images from this kernel; they take as much memory as the processes. */
  static void clear() throws IOException {
    clear(IMAGES);
  }

  /** Undoes {@link #open}. */
  static void close() throws IOException {
    if (Files.exists(IMAGES)) {
      clear(IMAGES);
      if (isOpen()) {
        Mounts.unmount(IMAGES.toString(), 0);
      }
      Files.delete(IMAGES);
    }
  }

  /** Empties a folder, if it is there. */
  static void clear(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var paths = Files.walk(folder)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
          if (!path.equals(folder)) {
            Files.delete(path);
          }
        }
      }
    }
  }

  /** Begins anew: what was copied so far is no base for what follows, and goes, here and in B. */
  void restart() throws IOException {
    first = folders;
    clear(IMAGES);
    sender.forget();
  }

  /**
   * Copies until a further round would not make the rest smaller.
   *
   * @param roots PIDs of the trees
   */
  List<Round> precopy(List<Integer> roots) throws IOException {
    var rounds = new ArrayList<Round>();
    var left = new ArrayList<>(roots);
    boolean worthwhile = !roots.isEmpty();
    while (worthwhile && rounds.size() < MOST_ROUNDS) {
      long start = System.nanoTime();
      long bytes = 0;
      for (int root : List.copyOf(left)) {
        Path folder = create(root, folders + 1);
        try {
          criu.preDump(root, folder, parent(root));
        } catch (CriuException e) {
          // A process of it may just have ended. What is not copied now is dumped in the gap.
          KernelLog.say("memory below process " + root + " is not copied: " + e.getMessage());
          clear(folder);
          Files.delete(folder);
          left.remove(Integer.valueOf(root));
          continue;
        }
        bytes += sender.send(folder, name(root, folders + 1));
        forgetPages(folder);
      }
      folders++;
      sender.flush();
      var round = new Round(bytes, (System.nanoTime() - start) / 1e6);
      worthwhile =
          bytes > SMALL && (rounds.isEmpty() || bytes < rounds.getLast().bytes() * WORTHWHILE);
      rounds.add(round);
    }
    return List.copyOf(rounds);
  }

  /**
   * Has CRIU dump a process of no use, and follows that: both take a multiple of the time for what
   * they do for the first time.
   */
  void rehearse() {
    try (var _ = GivingWay.begin();
        Canary canary = Canary.hatch(clocks::start)) {
      Path folder = Files.createDirectories(IMAGES.resolve("canary"));
      try {
        for (int i = 0; i < FORKS; i++) {
          canary.fork(fork -> {});
        }
        canary.fork(fork -> criu.dumpForks(List.of(fork), folder, Set.of()));
        for (int i = 0; i < FLIGHTS; i++) {
          canary.fly();
        }
      } finally {
        clear(folder);
        Files.delete(folder);
      }
    } catch (IOException e) {
      // What matters of this fails again, and says so, when the processes are dumped.
      KernelLog.say("the canary was not dumped: " + e.getMessage());
    }
  }

  /** The roots of trees in the order in which to dump them. */
  List<Integer> inOrder(List<Integer> roots) {
    return StagedContainers.inOrder(containers.keySet(), roots);
  }

  /**
   * Dumps what is left of one tree, which stays here, stopped.
   *
   * @return the folder of images
   */
  Path dump(int root) throws IOException {
    Path folder = create(root, folders + 1);
    ContainerMounts container = containers.get(root);
    if (container == null) {
      criu.dump(root, folder, parent(root), true);
    } else {
      criu.dump(root, folder, parent(root), container);
    }
    return folder;
  }

  /**
   * Dumps one stopped tree for a copy that waits in the other kernel. It and what was copied before
   * are no base for later dumps.
   *
   * @return the folder of images
   */
  Path dumpUnconnected(int root) throws IOException {
    Path folder = create(root, folders + 1);
    criu.dumpUnconnected(root, folder, parent(root));
    return folder;
  }

  /**
   * Dumps the forks of a tree in the place of its processes; see {@link #dumpUnconnected}.
   *
   * @param tree a parent before its children
   * @param growing as for {@link Criu#dumpForks}
   * @return the folder of images
   */
  Path dumpForks(List<ForkedProcess> tree, Set<String> growing) throws IOException {
    Path folder = create(tree.getFirst().pid(), folders + 1);
    criu.dumpForks(tree, folder, growing);
    return folder;
  }

  /** Ends what {@link #dumpUnconnected} began, once all trees are sent. */
  void staged() {
    folders++;
    first = folders;
  }

  /** Sends what {@link #dump} made; returns bytes. */
  long sendDump(int root, Path folder) throws IOException {
    return sender.send(folder, name(root, folders + 1));
  }

  /** The name of a tree's last image, below {@link #IMAGES} of the other kernel. */
  String dumpName(int root) {
    return name(root, folders + 1);
  }

  private static String name(int root, int folder) {
    return root + "/" + folder;
  }

  /** Nothing for a tree that began after the last round. */
  private @Nullable Path parent(int root) {
    Path last = IMAGES.resolve(name(root, folders));
    return folders == first || !Files.exists(last) ? null : last;
  }

  private static Path create(int root, int folder) throws IOException {
    return Files.createDirectories(IMAGES.resolve(name(root, folder)));
  }

  /** The next round asks a parent only which pages it has, not for their content. */
  private static void forgetPages(Path folder) throws IOException {
    try (var files = Files.newDirectoryStream(folder, "pages-*.img")) {
      for (Path file : files) {
        Files.newByteChannel(
                file,
                java.nio.file.StandardOpenOption.WRITE,
                java.nio.file.StandardOpenOption.TRUNCATE_EXISTING)
            .close();
      }
    }
  }
}
