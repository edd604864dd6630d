package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The Java runtime of a node, cut down to what the broker needs, the broker itself, and the
 * ahead-of-time cache that lets it start fast.
 */
final class JavaRuntime {
  /** Where the runtime lies in the guest. */
  static final String HOME = "/opt/twin/runtime";

  private static final String LIBRARIES = "/opt/twin/lib/";
  private static final String ARGUMENTS = "/opt/twin/broker.args";
  private static final String AOT = "/opt/twin/broker.aot";

  /**
   * C1 only: with both compilers the JVM crashes at random under multi-threaded emulation. No AVX:
   * the cache is made on the host's processor, which may have more of it than the guest's. The
   * cache mapped where it was made for: patching its pages for another place costs a TLB shootdown
   * each, which took 20 s on an emulated machine with several processors.
   */
  private static final List<String> FLAGS =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:UseAVX=0",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:ArchiveRelocationMode=0",
          "-XX:-UsePerfData",
          "-Xms16m",
          "-Xmx128m",
          "--enable-native-access=ALL-UNNAMED");

  private static final List<String> JLINK =
      List.of("--strip-debug", "--no-header-files", "--no-man-pages");

  private final ImageCache cache;
  private final Userland userland;
  private final BrokerApp app;
  private final Progress progress;
  private final Path jdk = Path.of(System.getProperty("java.home"));

  JavaRuntime(ImageCache cache, Userland userland, BrokerApp app, Progress progress) {
    this.cache = cache;
    this.userland = userland;
    this.app = app;
    this.progress = progress;
  }

  /** The runtime without the broker: changes only with the JDK and the list of modules. */
  Segment runtime() throws IOException, RootfsException, InterruptedException {
    List<String> modules = modules();
    Path folder =
        cache.entry(
            "runtime",
            runtimeKey(modules),
            into ->
                progress.step(
                    "Java runtime: link " + String.join(",", modules),
                    () -> {
                      Segment.write(link(modules, into.resolve("image")), into);
                      ImageCache.delete(into.resolve("image"));
                      return into;
                    }));
    return new Segment(folder);
  }

  /** The broker's jars and its arguments. */
  Segment application() throws IOException, RootfsException, InterruptedException {
    Path folder =
        cache.entry(
            "broker",
            applicationDigest().key(),
            into -> {
              CpioWriter writer = new CpioWriter();
              jars().forEach((path, jar) -> writer.file(path, 0644, jar));
              String arguments = arguments("-XX:AOTCache=" + AOT + "\n" + app.mainClass() + "\n");
              writer.file(ARGUMENTS, 0644, arguments.getBytes(StandardCharsets.US_ASCII));
              Segment.write(writer, into);
            });
    return new Segment(folder);
  }

  /**
   * What the JVM learned in a run of the broker. A part of its own, because the JVM does not write
   * the same bytes twice; all other parts are reproducible. The broker runs without it, slower.
   */
  Segment aheadOfTimeCache() throws IOException, RootfsException, InterruptedException {
    Digest digest = applicationDigest().add("train", app.training().toString());
    digest.add("userland", userland.key()).add("runtime", runtimeKey(modules()));
    Segment runtime = runtime();
    Segment programs = userland.programs();
    Path folder =
        cache.entry(
            "aot",
            digest.key(),
            into ->
                progress.step(
                    "broker: train its ahead-of-time cache",
                    () -> {
                      Path root = into.resolve("root");
                      programs.unpack(userland.busybox(), root);
                      runtime.unpack(userland.busybox(), root);
                      Path cacheFile = train(root);
                      Segment.write(new CpioWriter().file(AOT, 0644, cacheFile), into);
                      ImageCache.delete(root);
                      return into;
                    }));
    return new Segment(folder);
  }

  private Digest applicationDigest() throws IOException {
    return jarsDigest()
        .add("main", app.mainClass())
        .add("flags", FLAGS.toString())
        .add("compression", Segment.COMPRESSION);
  }

  /** Path in the guest of each jar, in class path order. */
  private Map<String, Path> jars() {
    Map<String, Path> jars = new LinkedHashMap<>();
    app.jars().forEach(jar -> jars.put(LIBRARIES + jar.getFileName(), jar));
    return jars;
  }

  /** An argument file of the JVM's. */
  private String arguments(String more) {
    return String.join("\n", FLAGS) + "\n-cp " + String.join(":", jars().keySet()) + "\n" + more;
  }

  private List<String> modules() throws IOException, RootfsException, InterruptedException {
    Path folder =
        cache.entry(
            "java-modules",
            jarsDigest().key(),
            into -> {
              List<String> words = new ArrayList<>(List.of(tool("jdeps"), "--print-module-deps"));
              words.addAll(List.of("--ignore-missing-deps", "--multi-release", "25"));
              app.jars().forEach(jar -> words.add(jar.toString()));
              Files.writeString(
                  into.resolve("list"), Command.run(into, Map.of(), words).text().strip());
            });
    return List.of(Files.readString(folder.resolve("list")).split(",", -1));
  }

  private Digest jarsDigest() throws IOException {
    Digest digest = new Digest();
    for (Path jar : app.jars()) {
      digest.add(jar.getFileName().toString(), jar);
    }
    return digest;
  }

  private String runtimeKey(List<String> modules) throws IOException {
    return new Digest()
        .add("jdk", jdk.resolve("release"))
        .add("options", JLINK.toString())
        .add("modules", modules.toString())
        .add("compression", Segment.COMPRESSION)
        .key();
  }

  private CpioWriter link(List<String> modules, Path image)
      throws IOException, RootfsException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(tool("jlink"), "--output", image.toString()));
    words.addAll(JLINK);
    words.addAll(List.of("--add-modules", String.join(",", modules)));
    Command.run(jdk, Map.of(), words);
    CpioWriter writer = new CpioWriter();
    for (Path file : ImageCache.files(image)) {
      String path = image.relativize(file).toString();
      if (isNeeded(path)) {
        writer.file(HOME + "/" + path, Files.isExecutable(file) ? 0755 : 0644, file);
      }
    }
    return writer;
  }

  private static boolean isNeeded(String path) {
    return !path.startsWith("legal/")
        && !path.equals("lib/jrt-fs.jar")
        && !path.equals("lib/security/cacerts")
        && (!path.startsWith("bin/") || path.equals("bin/java"));
  }

  /** Two runs in the tree as the guest will see it, under the same paths and flags. */
  private Path train(Path root) throws IOException, RootfsException, InterruptedException {
    for (Map.Entry<String, Path> jar : jars().entrySet()) {
      Path target = root.resolve(jar.getKey().substring(1));
      Files.createDirectories(target.getParent());
      Files.copy(jar.getValue(), target);
      // The cache remembers the time of each jar, and the guest's is the archive's.
      Files.setLastModifiedTime(target, FileTime.fromMillis(CpioWriter.TIME * 1000));
    }
    Files.writeString(root.resolve("opt/twin/train.args"), arguments(""));
    String record = "-XX:AOTMode=record -XX:AOTConfiguration=/tmp/aot.conf " + app.mainClass();
    String create = "-XX:AOTMode=create -XX:AOTConfiguration=/tmp/aot.conf -XX:AOTCache=" + AOT;
    String java = HOME + "/bin/java @/opt/twin/train.args ";
    // In a mount namespace of its own: whatever happens, nothing stays mounted.
    String script =
        "mount -t proc proc proc && mount --rbind /dev dev && exec chroot . /bin/sh -c '"
            + (java + record + " " + String.join(" ", app.training()) + " </dev/null && ")
            + (java + create + "'");
    Command.run(root, "unshare", "--mount", "--propagation", "private", "sh", "-ec", script);
    return root.resolve(AOT.substring(1));
  }

  private String tool(String name) {
    return jdk.resolve("bin").resolve(name).toString();
  }
}
