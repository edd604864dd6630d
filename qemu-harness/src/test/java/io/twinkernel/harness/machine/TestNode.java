package io.twinkernel.harness.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.SimpleFileServer;
import io.twinkernel.control.ControlPlane;
import io.twinkernel.control.ControlPlaneConfig;
import io.twinkernel.harness.console.ConsoleSession;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.qemu.MachineFiles;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.harness.qemu.TestEmulator;
import io.twinkernel.rootfs.BrokerApp;
import io.twinkernel.rootfs.ImageCache;
import io.twinkernel.rootfs.KernelSource;
import io.twinkernel.rootfs.NodeConfig;
import io.twinkernel.rootfs.NodeImages;
import io.twinkernel.rootfs.Progress;
import io.twinkernel.rootfs.RootfsException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A node of its own for a test that does to it what no demonstration may: a machine with kernel A,
 * its brokers' control plane in this process, QEMU's monitor, and its memory as a file that the
 * test can read and write behind both kernels' backs. Its network is QEMU's own, so that no
 * interface of the host is needed.
 */
final class TestNode implements AutoCloseable {

  /** Of the region that both kernels share. */
  static final int SHARED_MEGABYTES = 64;

  static final Duration PATIENCE = Duration.ofMinutes(6);

  /** A setting: with it the machine has the NICs that it names. */
  static final String JOINED = "measure.nics";

  /** A setting: with it the NICs that it names lead to the service's network. */
  static final String PORTS = "service.ports";

  private static final Set<String> FINAL =
      Set.of("COMPLETE", "ROLLED_BACK", "REHEARSED", "REFUSED", "FAILED");
  private static final String NODE = "test";
  private static final String HOST = "10.0.2.2";
  private static final String GUEST = "10.0.2.15";
  private static final String TOKEN = "a-token-for-nobody-else";
  private static final int MEGABYTES = 3072;
  private static final int CRASH_MEGABYTES = 768;
  private static final long DISK_BYTES = 512L << 20;

  private final Machine machine;
  private final ControlPlane control;
  private final RestClient rest;
  private final NodeImages images;
  private final Path memory;
  private final int servicePort;

  private TestNode(
      Machine machine,
      ControlPlane control,
      RestClient rest,
      NodeImages images,
      Path memory,
      int servicePort) {
    this.machine = machine;
    this.control = control;
    this.rest = rest;
    this.images = images;
    this.memory = memory;
    this.servicePort = servicePort;
  }

  /**
   * Boots one and waits until its broker has dialled in.
   *
   * @param folder for its files
   * @param settings further lines of node.conf, or other values for those it has
   */
  static TestNode start(Path folder, Map<String, String> settings) throws Exception {
    return start(
        folder,
        settings,
        System.getProperty("twin.test.from", "6.1"),
        System.getProperty("twin.test.to", "6.12"),
        "",
        List.of());
  }

  /**
   * The same with a disk that the service writes to and that moves with it.
   *
   * @param emulator more of the emulator's command line
   */
  static TestNode startWithDisk(Path folder, List<String> emulator) throws Exception {
    Path image = folder.resolve("disk.raw");
    try (var disk = new RandomAccessFile(image.toFile(), "rw")) {
      disk.setLength(DISK_BYTES);
    }
    return start(
        folder,
        Map.of("service.disk", MachineSpec.DISK),
        System.getProperty("twin.test.from", "6.1"),
        System.getProperty("twin.test.to", "6.12"),
        "",
        emulator,
        List.of("disk"),
        Optional.of(image));
  }

  /** The same with a layer in its image that other nodes have not. */
  static TestNode startWithLayer(Path folder, String layer) throws Exception {
    return start(
        folder,
        Map.of(),
        System.getProperty("twin.test.from", "6.1"),
        System.getProperty("twin.test.to", "6.12"),
        "",
        List.of(),
        List.of(layer),
        Optional.empty());
  }

  /**
   * The same with other kernels.
   *
   * @param parameters more of kernel A's command line
   * @param emulator more of the emulator's
   */
  static TestNode start(
      Path folder,
      Map<String, String> settings,
      String from,
      String to,
      String parameters,
      List<String> emulator)
      throws Exception {
    return start(folder, settings, from, to, parameters, emulator, List.of(), Optional.empty());
  }

  private static TestNode start(
      Path folder,
      Map<String, String> settings,
      String from,
      String to,
      String parameters,
      List<String> emulator,
      List<String> layers,
      Optional<Path> disk)
      throws Exception {
    NodeImages images =
        NodeImages.build(
            ImageCache.standard(),
            KernelSource.parse(from),
            KernelSource.parse(to),
            BrokerApp.standard(),
            layers,
            Progress.lines(System.out));
    MachineFiles files = new MachineFiles(folder);
    ControlPlane control =
        ControlPlane.start(
            ControlPlaneConfig.local(folder.resolve("journal"), TOKEN).withPorts(0, 0, 0));
    Path initrd = folder.resolve("initrd");
    Map<String, String> conf = new HashMap<>(conf(control.brokerPort()));
    conf.putAll(settings);
    images.writeInitramfs(initrd, NodeConfig.of(conf));
    int port = freePort();
    Path memory = Path.of("/dev/shm", "twin-test-" + ProcessHandle.current().pid() + "-" + port);
    Machine machine = null;
    try {
      List<String> line =
          new ArrayList<>(
              arguments(images, initrd, files, memory, port, parameters, disk, settings.keySet()));
      line.addAll(emulator);
      machine = Machine.start(line, files);
      TestNode node =
          new TestNode(machine, control, new RestClient(control.restPort()), images, memory, port);
      node.awaitBroker("primary");
      return node;
    } catch (Exception | AssertionError failure) {
      if (machine != null) {
        machine.close();
      }
      control.close();
      Files.deleteIfExists(memory);
      throw failure;
    }
  }

  private static Map<String, String> conf(int brokerPort) {
    return Map.ofEntries(
        Map.entry("node", NODE),
        Map.entry("control.host", HOST),
        Map.entry("control.port", Integer.toString(brokerPort)),
        Map.entry("control.token", TOKEN),
        Map.entry("service.interface.pci", MachineSpec.SERVICE_NIC),
        Map.entry("service.address", GUEST + "/24"),
        Map.entry("b.buses", MachineSpec.TWIN_BUS),
        Map.entry("b.earlycon", "uart8250,io,0x2f8,115200n8"),
        Map.entry("b.cpus", "3"),
        Map.entry("switch.practice", "4"),
        Map.entry("shared.bytes", Long.toString((long) SHARED_MEGABYTES << 20)));
  }

  private static List<String> arguments(
      NodeImages images,
      Path initrd,
      MachineFiles files,
      Path memory,
      int port,
      String parameters,
      Optional<Path> disk,
      Set<String> settings)
      throws IOException, RootfsException, InterruptedException {
    MachineSpec spec =
        new MachineSpec(
            TestEmulator.get(),
            images.kernel(),
            initrd,
            "console=ttyS0 "
                + System.getProperty("twin.test.loglevel", "quiet")
                + " panic=-1 crashkernel="
                + CRASH_MEGABYTES
                + "M twin.role=primary"
                + (parameters.isEmpty() ? "" : " " + parameters),
            4,
            MEGABYTES,
            new AcceleratorProbe(files.directory(), TestEmulator.get())
                .find(images.kernel(), images.from(), files.directory().resolve("accelerator"))
                .accelerator(),
            "unused",
            settings.contains(PORTS) ? List.of("unused", "unused") : List.of(),
            disk,
            settings.contains(JOINED));
    List<String> line = new ArrayList<>();
    for (String word : spec.arguments(files)) {
      line.add(
          word.startsWith("tap,id=")
              ? "hubport,hubid=1," + word.substring("tap,".length(), word.indexOf(",ifname"))
              : word.equals("q35") ? "q35,memory-backend=ram" : word);
    }
    // The NICs are ports of a hub, whose own end is the host's.
    line.add("-netdev");
    line.add("user,id=host,hostfwd=tcp:127.0.0.1:" + port + "-" + GUEST + ":6379");
    line.add("-netdev");
    line.add("hubport,hubid=1,id=outside,netdev=host");
    line.add("-object");
    line.add("memory-backend-file,id=ram,share=on,size=" + MEGABYTES + "M,mem-path=" + memory);
    return line;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  Machine machine() {
    return machine;
  }

  String releaseOfB() {
    return images.to();
  }

  /** Waits until a broker in that role is connected. */
  void awaitBroker(String role) throws Exception {
    await(
        "a " + role + " broker",
        () -> {
          JsonNode node = rest.nodes().path(0);
          return node.path("connected").asBoolean() && node.toString().contains(role);
        });
  }

  /** Starts an upgrade that stops after B has booted; returns its id when B runs. */
  String boot(int... cpus) throws Exception {
    return startUntil("boot", cpus);
  }

  /** As {@link #boot}, where B is the machine's and starts the next kernel, C. */
  String bootBesideB(int... cpus) throws Exception {
    return startUntil("boot", MachineSpec.NEXT_BUS, cpus);
  }

  /** Starts an upgrade that stops before the switch; returns its id when all is ready for it. */
  String precopy(int... cpus) throws Exception {
    return startUntil("precopy", cpus);
  }

  private String startUntil(String phase, int... cpus) throws Exception {
    return startUntil(phase, MachineSpec.TWIN_BUS, cpus);
  }

  private String startUntil(String phase, String bus, int... cpus) throws Exception {
    var request = new HashMap<>(request(cpus));
    request.put("until", phase);
    request.put("buses", List.of(bus));
    String id = rest.start(request);
    awaitDone(phase, id);
    return id;
  }

  /** As {@link #boot}, and has the link measured; returns the event that has the figures. */
  UpgradeEvent bootAndMeasure(int samples, int... cpus) throws Exception {
    var request = new HashMap<>(request(cpus));
    request.put("measure_link", samples);
    return awaitDone("boot", rest.start(request));
  }

  private UpgradeEvent awaitDone(String phase, String id) throws Exception {
    UpgradeEvent event = await(id, one -> one.is(phase, "done") || FINAL.contains(one.state()));
    if (!event.is(phase, "done")) {
      throw new AssertionError("no " + phase + ": " + rest.upgrade(id) + "\n" + bootLog());
    }
    return event;
  }

  /** Rehearses an upgrade from its beginning to its end; returns its id. */
  String rehearse(int... cpus) throws Exception {
    var request = new HashMap<>(request(cpus));
    request.remove("until");
    request.put("rehearse", true);
    String id = rest.start(request);
    await(id, one -> FINAL.contains(one.state()));
    return id;
  }

  /** Runs an upgrade in which something goes wrong on purpose; returns the state it ends in. */
  String fail(String fault, int... cpus) throws Exception {
    var request = new HashMap<>(request(cpus));
    request.remove("until");
    request.put("faults", List.of(fault));
    String id = rest.start(request);
    return await(id, one -> FINAL.contains(one.state())).state();
  }

  /** Starts an upgrade that stops after B has booted. */
  String start(int... cpus) throws Exception {
    return rest.start(request(cpus));
  }

  private Map<String, Object> request(int... cpus) {
    List<Integer> list = new ArrayList<>();
    for (int cpu : cpus.length == 0 ? new int[] {3} : cpus) {
      list.add(cpu);
    }
    return Map.of(
        "node",
        NODE,
        "image",
        images.twinKernelPath(),
        "initrd",
        images.twinInitrdPath(),
        "cpus",
        list,
        "buses",
        List.of(MachineSpec.TWIN_BUS),
        "until",
        "boot");
  }

  /** Undoes an upgrade; returns when A says that it goes on as before. */
  void rollBack(String id) throws Exception {
    rest.rollBack(id);
    UpgradeEvent end = await(id, one -> FINAL.contains(one.state()));
    if (!end.state().equals("ROLLED_BACK")) {
      throw new AssertionError("not rolled back: " + rest.upgrade(id));
    }
  }

  /** Lets an upgrade go on to its end and returns the state it ends in. */
  String finish(String id) throws Exception {
    rest.goOn(id);
    return await(id, one -> FINAL.contains(one.state())).state();
  }

  JsonNode upgrade(String id) throws Exception {
    return rest.upgrade(id);
  }

  /** The first event of an upgrade, also an earlier one, that is wanted. */
  UpgradeEvent await(String id, Predicate<UpgradeEvent> wanted) throws Exception {
    UpgradeEvent[] found = new UpgradeEvent[1];
    await(
        "an event of upgrade " + id,
        () -> {
          for (UpgradeEvent event : rest.events(id, 0)) {
            if (found[0] == null && wanted.test(event)) {
              found[0] = event;
            }
          }
          return found[0] != null;
        });
    return found[0];
  }

  /** Runs a command in A's shell. */
  String onA(String command) throws IOException {
    return on(machine.files().consoleA(), command);
  }

  /** Runs a command in B's shell. */
  String onB(String command) throws IOException {
    return on(machine.files().consoleB(), command);
  }

  /** Runs a command in the shell of the kernel that B started. */
  String onC(String command) throws IOException {
    return on(machine.files().consoleC(), command);
  }

  /** Gives B, whose network is up, its own kernel's files, to start it once more. */
  void installOnB() throws IOException {
    HttpServer server =
        SimpleFileServer.createFileServer(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            images.twinKernel().toAbsolutePath().getParent(),
            SimpleFileServer.OutputLevel.NONE);
    server.start();
    try {
      String from = "http://" + HOST + ":" + server.getAddress().getPort() + "/";
      String said =
          onB(
              "mkdir -p /boot/twin/%s && wget -q -O %s %svmlinuz && wget -q -O %s %sinitrd; echo $?"
                  .formatted(
                      images.to(), images.twinKernelPath(), from, images.twinInitrdPath(), from));
      if (!said.equals("0")) {
        throw new IOException("B did not fetch its files: " + said);
      }
    } finally {
      server.stop(0);
    }
  }

  private static String on(Path console, String command) throws IOException {
    try (ConsoleSession session = ConsoleSession.attach(console)) {
      return session.run(command, Duration.ofSeconds(90));
    }
  }

  /** All that A's kernel has said on its console. */
  String consoleA() throws IOException {
    return Files.readString(machine.files().logA(), StandardCharsets.ISO_8859_1);
  }

  /** What B's kernel has said, from its first word, of all Bs so far. */
  String bootLog() throws IOException {
    return Files.readString(machine.files().logEarlyB(), StandardCharsets.ISO_8859_1);
  }

  /** Of the service, on this host's loopback. */
  int servicePort() {
    return servicePort;
  }

  /** Whether the service answers PING within that time. */
  boolean serves(Duration within) {
    try (Socket socket = new Socket()) {
      int millis = Math.toIntExact(within.toMillis());
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), servicePort), millis);
      socket.setSoTimeout(millis);
      socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readNBytes(7), StandardCharsets.US_ASCII)
          .equals("+PONG\r\n");
    } catch (IOException silent) {
      return false;
    }
  }

  /** One answer of QEMU's human monitor, for what QMP has no command. */
  String monitor(String command) throws IOException {
    return machine
        .qmp()
        .execute("human-monitor-command", Map.of("command-line", command), Duration.ofSeconds(30))
        .asText();
  }

  /** The machine's memory from a physical address below 2 GiB on, as both kernels have it. */
  ByteBuffer memory(long address, int bytes) throws IOException {
    try (FileChannel file =
        FileChannel.open(memory, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return file.map(FileChannel.MapMode.READ_WRITE, address, bytes)
          .order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Something that may come true. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws Exception;
  }

  /** Looks until it holds; what is looked at in a machine raises no event here. */
  void await(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > end || !machine.alive()) {
        throw new AssertionError(
            what
                + " did not come; machine "
                + (machine.alive() ? "up" : "ended: " + machine.said())
                + "\nA:\n"
                + tail(consoleA())
                + "\nB:\n"
                + tail(bootLog()));
      }
      Thread.sleep(20);
    }
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - 3000));
  }

  @Override
  public void close() throws IOException {
    rest.close();
    machine.close();
    control.close();
    Files.deleteIfExists(memory);
  }
}
