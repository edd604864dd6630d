package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.net.RunDirectory;
import io.twinkernel.rootfs.BrokerApp;
import io.twinkernel.rootfs.ImageCache;
import io.twinkernel.rootfs.KernelSource;
import io.twinkernel.rootfs.NodeConfig;
import io.twinkernel.rootfs.NodeImages;
import io.twinkernel.rootfs.Progress;
import io.twinkernel.rootfs.RootfsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code twin demo}: builds what is missing, then runs one upgrade and reports. */
@Command(
    name = "demo",
    description = {
      "Boots a machine with one kernel and Redis, and moves it to another kernel while clients",
      "write and read. Exit code 0: all that is promised holds."
    },
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {

  /** What is wrong with an option, and not with the project or the network. */
  private static final Set<RootfsException.Code> OPTION =
      EnumSet.of(
          RootfsException.Code.UNKNOWN_KERNEL,
          RootfsException.Code.NOT_A_KERNEL,
          RootfsException.Code.MODULES);

  @Mixin private DemoOptions options = new DemoOptions();

  @Override
  public Integer call() throws HarnessException, IOException, InterruptedException {
    options.check();
    Preflight.require(options.memory, options.out);
    System.out.println("Images");
    NodeImages images = images();
    try (Supervisor supervisor = Supervisor.prepare(RunDirectory.root())) {
      String token = token();
      Path directory = supervisor.run().path();
      Path initrd = directory.resolve("initrd");
      images.writeInitramfs(initrd, config(token));
      plan(images, initrd, token).write(directory);
      int rest = supervisor.expose(InsideCommand.REST, options.restPort);
      int bridge = supervisor.expose(InsideCommand.BRIDGE, options.bridgePort);
      System.out.println(
          "Upgrade of "
              + images.from()
              + " to "
              + images.to()
              + "; http://127.0.0.1:"
              + rest
              + ", event bus bridge on port "
              + bridge);
      return supervisor.enter();
    }
  }

  private NodeImages images() throws HarnessException, InterruptedException {
    try {
      return NodeImages.build(
          ImageCache.standard(),
          KernelSource.parse(options.from),
          KernelSource.parse(options.to),
          BrokerApp.standard(),
          Progress.lines(System.out));
    } catch (RootfsException failure) {
      System.out.println();
      if (OPTION.contains(failure.code())) {
        throw new HarnessException.Refused(failure.what() + ": " + failure.why(), failure.todo());
      }
      throw new HarnessException.Machine(String.valueOf(failure.getMessage()), failure);
    }
  }

  private NodeConfig config(String token) {
    return NodeConfig.of(options.nodeConfig(token));
  }

  private RunPlan plan(NodeImages images, Path initrd, String token) throws IOException {
    @Nullable Fault fault = options.fault;
    Files.createDirectories(options.out);
    return new RunPlan(
        images.kernel().toString(),
        initrd.toString(),
        images.from(),
        images.to(),
        images.twinKernelPath(),
        images.twinInitrdPath(),
        token,
        options.cpus,
        options.memory,
        options.megabytes,
        options.connections,
        options.pause,
        fault,
        options.keep,
        options.out.toAbsolutePath().toString());
  }

  private static String token() {
    byte[] token = new byte[16];
    new SecureRandom().nextBytes(token);
    return HexFormat.of().formatHex(token);
  }
}
