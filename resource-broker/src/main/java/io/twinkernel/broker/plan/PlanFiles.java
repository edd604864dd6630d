package io.twinkernel.broker.plan;

import io.twinkernel.broker.image.ImageException;
import io.twinkernel.broker.image.InitrdImage;
import io.twinkernel.broker.image.KernelImage;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The files that the second kernel starts from.
 *
 * @param kernel empty where it is none
 * @param initrd empty where it is none
 * @param refusals why
 */
public record PlanFiles(
    Optional<KernelImage> kernel, Optional<InitrdImage> initrd, List<Refusal> refusals) {

  /** Keeps the list from changing. */
  public PlanFiles {
    refusals = List.copyOf(refusals);
  }

  /** Reads both; what is wrong with them becomes a refusal. */
  public static PlanFiles read(Path image, Path initrd) {
    List<Refusal> refusals = new ArrayList<>();
    return new PlanFiles(
        read("image", image, KernelImage::read, refusals),
        read("initrd", initrd, InitrdImage::read, refusals),
        refusals);
  }

  @FunctionalInterface
  private interface Reader<T> {
    T read(Path path) throws IOException;
  }

  private static <T> Optional<T> read(
      String kind, Path path, Reader<T> reader, List<Refusal> refusals) {
    try {
      return Optional.of(reader.read(path));
    } catch (ImageException e) {
      refusals.add(new Refusal(e.code(), e.what(), e.why(), e.todo()));
    } catch (NoSuchFileException e) {
      refusals.add(
          new Refusal(
              kind + "-missing",
              path.toString(),
              "there is no such file on this machine",
              "install the kernel that you want to go to, or name its files"));
    } catch (IOException e) {
      refusals.add(
          new Refusal(
              kind + "-unreadable",
              path.toString(),
              "it cannot be read: " + e.getMessage(),
              "check its permissions and the file system it is on"));
    }
    return Optional.empty();
  }
}
