package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.net.RunDirectory;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.rootfs.BrokerApp;
import io.twinkernel.rootfs.Emulator;
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
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A machine for one run, with a network namespace and a process of its own. */
public final class DemoRun {

  /** What is wrong with an option or a setting, and not with the project or the network. */
  private static final Set<RootfsException.Code> OPTION =
      EnumSet.of(
          RootfsException.Code.UNKNOWN_KERNEL,
          RootfsException.Code.NOT_A_KERNEL,
          RootfsException.Code.MODULES,
          RootfsException.Code.EMULATOR);

  private final DemoOptions options;
  private final Emulator emulator;
  private final NodeImages images;
  private final List<RunPlan.NextKernel> further;

  private DemoRun(
      DemoOptions options, Emulator emulator, NodeImages images, List<RunPlan.NextKernel> further) {
    this.options = options;
    this.emulator = emulator;
    this.images = images;
    this.further = further;
  }

  /** Checks the options and this host, then fetches QEMU and builds the images, or finds both. */
  public static DemoRun prepare(DemoOptions options)
      throws HarnessException, IOException, InterruptedException {
    options.check();
    Preflight.require(options.memory(), options.out);
    System.out.println("Images");
    Emulator emulator = emulator();
    NodeImages there = images(options, options.from, options.to);
    List<RunPlan.NextKernel> further = new ArrayList<>();
    if (options.chain > 1) {
      // A's kernel and B's in turns, as files that the kernel before fetches.
      NodeImages back = images(options, options.to, options.from);
      for (int upgrade = 2; upgrade <= options.chain; upgrade++) {
        NodeImages images = upgrade % 2 == 0 ? back : there;
        further.add(
            new RunPlan.NextKernel(
                images.to(), images.twinKernel().toString(), images.twinInitrd().toString()));
      }
    }
    return new DemoRun(options, emulator, there, further);
  }

  private static NodeImages images(DemoOptions options, String from, String to)
      throws HarnessException, InterruptedException {
    try {
      return NodeImages.build(
          ImageCache.standard(),
          KernelSource.parse(from),
          KernelSource.parse(to),
          BrokerApp.standard(),
          layers(options),
          Progress.lines(System.out));
    } catch (RootfsException failure) {
      throw failed(failure);
    }
  }

  private static List<String> layers(DemoOptions options) {
    if (options.disk) {
      return options.postgres
          ? List.of(Workloads.DISK_LAYER, Workloads.POSTGRES_LAYER)
          : List.of(Workloads.DISK_LAYER);
    }
    return options.workloads.layers();
  }

  private static Emulator emulator() throws HarnessException, InterruptedException {
    try {
      return Emulator.prepare(ImageCache.standard(), Progress.lines(System.out));
    } catch (RootfsException failure) {
      throw failed(failure);
    }
  }

  private static HarnessException failed(RootfsException failure) {
    System.out.println();
    return OPTION.contains(failure.code())
        ? new HarnessException.Refused(failure.what() + ": " + failure.why(), failure.todo())
        : new HarnessException.Machine(String.valueOf(failure.getMessage()), failure);
  }

  /** Release of kernel A. */
  public String from() {
    return images.from();
  }

  /** Release of kernel B. */
  public String to() {
    return images.to();
  }

  /** One upgrade; what it says goes to this process' output. */
  int upgrade() throws HarnessException, IOException {
    return enter(options.out, null, RunMode.UPGRADE);
  }

  /**
   * One upgrade.
   *
   * @param out where its reports go
   * @param log where what it says goes
   * @return its exit code
   */
  public int upgrade(Path out, Path log) throws HarnessException, IOException {
    return enter(out, log, RunMode.UPGRADE);
  }

  /** The same by kexec, as {@link KexecBaseline} tells. */
  public int kexec(Path out, Path log) throws HarnessException, IOException {
    return enter(out, log, RunMode.KEXEC);
  }

  /** What {@link LinkRun} measures; what it says goes to this process' output. */
  public int link(Path out) throws HarnessException, IOException {
    return enter(out, null, RunMode.LINK);
  }

  private int enter(Path out, @Nullable Path log, RunMode mode)
      throws HarnessException, IOException {
    Files.createDirectories(out);
    try (Supervisor supervisor = Supervisor.prepare(RunDirectory.root())) {
      String token = token();
      Path directory = supervisor.run().path();
      Path initrd = directory.resolve("initrd");
      images.writeInitramfs(initrd, NodeConfig.of(nodeConfig(token, mode)));
      plan(initrd, token, out).write(directory);
      int rest = supervisor.expose(InsideCommand.REST, options.restPort);
      int bridge = supervisor.expose(InsideCommand.BRIDGE, options.bridgePort);
      if (log == null && mode == RunMode.UPGRADE) {
        System.out.println(
            "Upgrade of "
                + images.from()
                + " to "
                + images.to()
                + "; http://127.0.0.1:"
                + rest
                + ", event bus bridge on port "
                + bridge);
      }
      return supervisor.enter(log, mode);
    }
  }

  private Map<String, String> nodeConfig(String token, RunMode mode) {
    Map<String, String> config = new HashMap<>(options.nodeConfig(token));
    if (mode == RunMode.LINK) {
      config.put("measure.nics", MachineSpec.JOINED_NICS);
    }
    return config;
  }

  private RunPlan plan(Path initrd, String token, Path out) {
    @Nullable Fault fault = options.fault;
    return new RunPlan(
        emulator,
        images.kernel().toString(),
        initrd.toString(),
        images.from(),
        images.to(),
        images.twinKernelPath(),
        images.twinInitrdPath(),
        further,
        FileServer.ADDRESS,
        token,
        options.cpus,
        options.twinCpus(),
        options.memory(),
        options.megabytes,
        options.rewrites(),
        options.connections,
        options.visitors,
        options.growth,
        options.pause,
        fault,
        options.rehearse,
        options.workloads,
        options.disk,
        options.postgres,
        options.keep,
        out.toAbsolutePath().toString());
  }

  private static String token() {
    byte[] token = new byte[16];
    new SecureRandom().nextBytes(token);
    return HexFormat.of().formatHex(token);
  }
}
