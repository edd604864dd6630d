package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The QEMU that machines run under: the newest in the backports of Debian's later release, and not
 * this system's.
 *
 * <p>Before 8.1, QEMU translates guest code without holding the lock of the page it reads. Where it
 * runs a thread a CPU, one CPU may so keep a translation of an int3 that another has just replaced:
 * a kernel patches its own code like that (static keys, tracepoints), and the CPU traps on it for
 * ever. 10.0 now and then dies of a failed assertion in {@code iotlb_to_section}, which later ones
 * do not have.
 *
 * @param startLine the words that start it; its own arguments follow
 * @param version as it tells it, {@code "11.1.3"}
 * @param identity one word that changes whenever the program, or what it loads, does
 */
public record Emulator(List<String> startLine, String version, String identity) {
  /** Environment variable: a QEMU to use instead, by its path. */
  public static final String CHOICE = "TWIN_QEMU";

  private static final Pattern VERSION = Pattern.compile("QEMU emulator version (\\S+)");

  public Emulator {
    startLine = List.copyOf(startLine);
  }

  /**
   * The one that the environment names, else the fetched one: downloaded first if it is not there.
   */
  public static Emulator prepare(ImageCache cache, Progress progress)
      throws RootfsException, InterruptedException {
    return prepare(System.getenv(), cache, progress);
  }

  static Emulator prepare(Map<String, String> environment, ImageCache cache, Progress progress)
      throws RootfsException, InterruptedException {
    try {
      Optional<Path> chosen = chosen(environment);
      return chosen.isPresent()
          ? given(chosen.get())
          : EmulatorPackages.newest(cache, progress).emulator();
    } catch (IOException e) {
      throw new RootfsException(
              RootfsException.Code.CACHE,
              "cannot keep QEMU in " + cache.root(),
              String.valueOf(e),
              "Check the space on that disk; TWIN_CACHE names another folder.")
          .causedBy(e);
    }
  }

  /** The program that {@value #CHOICE} names, whether it is there or not. */
  public static Optional<Path> chosen(Map<String, String> environment) {
    return Optional.ofNullable(environment.get(CHOICE))
        .filter(path -> !path.isBlank())
        .map(path -> Path.of(path).toAbsolutePath());
  }

  private static Emulator given(Path program)
      throws IOException, RootfsException, InterruptedException {
    if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
      throw unusable(program + " is no program that can be run");
    }
    Digest digest =
        new Digest()
            .add("path", program.toString())
            .add("size", Long.toString(Files.size(program)))
            .add("time", Files.getLastModifiedTime(program).toString());
    return asked(List.of(program.toString()), digest.key());
  }

  /** Starts it to ask for its version: one that does not run here must not wait for a machine. */
  static Emulator asked(List<String> startLine, String identity)
      throws RootfsException, InterruptedException {
    List<String> words = new ArrayList<>(startLine);
    words.add("--version");
    Command.Result result = Command.attempt(Path.of("/"), Map.of(), words);
    Matcher matcher = VERSION.matcher(result.text());
    if (result.status() != 0 || !matcher.find()) {
      throw unusable(words.getFirst() + ": exit status " + result.status() + ", " + result.tail());
    }
    return new Emulator(startLine, matcher.group(1), identity);
  }

  private static RootfsException unusable(String why) {
    return new RootfsException(
        RootfsException.Code.EMULATOR,
        "cannot run QEMU",
        why,
        "Set " + CHOICE + " to the path of a qemu-system-x86_64, or unset it to have one fetched.");
  }
}
