package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Canary;
import io.twinkernel.broker.prestage.Unstageable;
import io.twinkernel.broker.process.ContainerMounts;
import io.twinkernel.broker.process.Criu;
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
  private final List<Integer> roots;
  private final Map<Integer, ContainerMounts> containers;
  private int folders;
  private int first;

  /**
   * @param clocks that CRIU has
   * @param roots PIDs of the process trees that move
   * @param containers the mounts of those that are containers, by PID
   */
  ProcessCopy(
      Criu criu,
      ServiceClocks clocks,
      ImageSender sender,
      List<Integer> roots,
      Map<Integer, ContainerMounts> containers) {
    this.criu = criu;
    this.clocks = clocks;
    this.sender = sender;
    this.roots = roots;
    this.containers = Map.copyOf(containers);
  }

  List<Integer> roots() {
    return roots;
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

  /** Copies until a further round would not make the rest smaller. */
  List<Round> precopy() throws IOException {
    var rounds = new ArrayList<Round>();
    boolean worthwhile = true;
    while (worthwhile && rounds.size() < MOST_ROUNDS) {
      long start = System.nanoTime();
      long bytes = 0;
      for (int root : roots) {
        Path folder = create(root, folders + 1);
        criu.preDump(root, folder, parent(root));
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
   * Has CRIU dump a process of no use: it takes twice as long for what it does for the first time.
   */
  void rehearse() {
    try (var _ = GivingWay.begin();
        Canary canary = Canary.hatch(clocks::start)) {
      Path folder = Files.createDirectories(IMAGES.resolve("canary"));
      try {
        for (int i = 0; i < FORKS; i++) {
          canary.fork(fork -> {});
        }
        canary.fork(fork -> criu.dumpFork(fork, folder, Set.of()));
      } finally {
        clear(folder);
        Files.delete(folder);
      }
    } catch (IOException e) {
      // What matters of this fails again, and says so, when the processes are dumped.
      KernelLog.say("the canary was not dumped: " + e.getMessage());
    }
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
   * Dumps a fork in the place of its process; see {@link #dumpUnconnected}.
   *
   * @param growing as for {@link Criu#dumpFork}
   * @return the folder of images
   */
  Path dumpFork(ForkedProcess process, Set<String> growing) throws IOException {
    Path folder = create(process.pid(), folders + 1);
    criu.dumpFork(process, folder, growing);
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

  private @Nullable Path parent(int root) {
    return folders == first ? null : IMAGES.resolve(name(root, folders));
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
