package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Fetches QEMU and builds the images of two kernels; what {@code ./twin setup} runs. */
@Command(
    name = "rootfs",
    mixinStandardHelpOptions = true,
    description = "Fetches QEMU and builds the images of two kernels.")
final class Main implements Callable<Integer> {
  @Option(
      names = "--from",
      defaultValue = "6.1",
      description = "kernel A (default: ${DEFAULT-VALUE})")
  private String from = "6.1";

  @Option(
      names = "--to",
      defaultValue = "6.12",
      description = "kernel B (default: ${DEFAULT-VALUE})")
  private String to = "6.12";

  @Option(
      names = "--initramfs",
      paramLabel = "FILE",
      description = "also write A's initramfs, without a node's configuration")
  private @Nullable Path initramfs;

  @Option(names = "--refresh", description = "look for newer packages and kernels first")
  private boolean refresh;

  private Main() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Main()).execute(arguments));
  }

  @Override
  public Integer call() throws InterruptedException, IOException {
    try {
      ImageCache cache = ImageCache.standard();
      if (refresh) {
        PackageArchive.outdate(cache);
      }
      Progress progress = Progress.lines(System.out);
      Emulator emulator = Emulator.prepare(cache, progress);
      NodeImages images =
          NodeImages.build(
              cache,
              KernelSource.parse(from),
              KernelSource.parse(to),
              BrokerApp.standard(),
              progress);
      System.out.println(
          "emulator   QEMU " + emulator.version() + "  " + emulator.startLine().getFirst());
      System.out.println("kernel A   " + images.from() + "  " + images.kernel());
      System.out.println("kernel B   " + images.to() + "  " + images.twinKernel());
      System.out.println("initramfs  " + (images.initramfsSize() >> 20) + " MiB");
      if (initramfs != null) {
        images.writeInitramfs(initramfs, NodeConfig.of(java.util.Map.of()));
      }
      return 0;
    } catch (RootfsException e) {
      System.err.println();
      System.err.println(e.what() + ": " + e.why());
      System.err.println(e.todo());
      return 1;
    }
  }
}
