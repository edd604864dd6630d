package io.twinkernel.broker.process;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The processes of a PID namespace (pid_namespaces(7)). They keep the numbers that they have in it
 * when they move; those that the machine has for them are others in each kernel.
 */
public final class PidNamespace {
  private final Path proc;

  /**
   * @param proc /proc
   */
  public PidNamespace(Path proc) {
    this.proc = proc;
  }

  /** Whether a process is in a namespace of its own, below ours; false if it has ended. */
  public boolean isOwn(int pid) throws IOException {
    Optional<String> there = namespace(Integer.toString(pid));
    return there.isPresent() && !there.equals(namespace("self"));
  }

  /**
   * The processes that are in the same namespace as one.
   *
   * @return the machine's number of each by the one that it has in there; empty if it has ended
   */
  public Map<Integer, Integer> numbers(int pid) throws IOException {
    var numbers = new TreeMap<Integer, Integer>();
    Optional<String> wanted = namespace(Integer.toString(pid));
    if (wanted.isEmpty()) {
      return numbers;
    }
    try (var entries = Files.newDirectoryStream(proc, "[0-9]*")) {
      for (Path entry : entries) {
        String outside = entry.getFileName().toString();
        if (namespace(outside).equals(wanted)) {
          Optional<String> status = SysFiles.readIfThere(entry.resolve("status").toString());
          if (status.isPresent()) {
            int inner =
                inner(status.get())
                    .orElseThrow(
                        () ->
                            new IOException(
                                "the kernel does not tell numbers in PID namespaces (NSpid)"));
            numbers.put(inner, Integer.valueOf(outside));
          }
        }
      }
    }
    return numbers;
  }

  /**
   * A process's number in the namespace that it is in.
   *
   * @param status of it; {@code NSpid:} has the number in each namespace, from ours down
   * @return empty if the kernel does not tell
   */
  public static Optional<Integer> inner(String status) {
    return status
        .lines()
        .filter(line -> line.startsWith("NSpid:"))
        .map(line -> Integer.valueOf(line.substring(line.lastIndexOf('\t') + 1).strip()))
        .findFirst();
  }

  private Optional<String> namespace(String process) throws IOException {
    try {
      return Optional.of(
          Files.readSymbolicLink(proc.resolve(process).resolve("ns/pid")).toString());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (FileSystemException e) {
      // One that is just ending is there, and has no namespace: ESRCH.
      if (Files.exists(proc.resolve(process).resolve("exe"))) {
        throw e;
      }
      return Optional.empty();
    }
  }
}
