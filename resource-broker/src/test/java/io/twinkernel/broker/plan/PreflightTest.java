package io.twinkernel.broker.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.image.InitrdImage;
import io.twinkernel.broker.image.KernelImage;
import io.twinkernel.broker.image.ModuleInfo;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreflightTest {

  private static final long MIB = 1L << 20;
  private static final String RELEASE = "6.12.95+deb12-cloud-amd64";
  private static final Path IMAGE = Path.of("/boot/twin/vmlinuz");
  private static final Path INITRD = Path.of("/boot/twin/initrd");

  @TempDir Path root;

  private List<PciFunction> functions = List.of();
  private List<HostBridge> hostBridges = List.of();
  private boolean interruptsRemapped;
  private NodeFacts node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));

  @BeforeEach
  void capture() throws IOException {
    NodeFacts guest = new NodeFactsReader(CapturedTree.in(root)).read(Optional.empty());
    functions = guest.functions();
    node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));
  }

  @Test
  void aSoundPlanIsNotRefused() {
    assertThat(Preflight.refusals(node, files(), request())).isEmpty();
  }

  @Test
  void whoMayNotLoadKernelsIsRefused() {
    Optional<TwinInfo> module = Optional.of(info(TwinInfo.State.IDLE));
    refused(facts(1000, "none", false, false, module), "not-root", "1000");
    refused(facts(0, "integrity", false, false, module), "locked-down", "integrity");
    refused(facts(0, "none", true, false, module), "kexec-disabled", "kexec_load_disabled");
    refused(facts(0, "none", false, true, module), "crash-kernel-loaded", "loaded in it");
  }

  @Test
  void aModuleThatIsMissingOrOfAnotherVersionIsRefused() {
    refused(facts(0, "none", false, false, Optional.empty()), "module-missing", "not loaded");
    TwinInfo idle = info(TwinInfo.State.IDLE);
    refused(with(info(99, idle.crash(), idle.state(), idle.ecam())), "module-wrong-abi", "99");
    refused(with(info(TwinInfo.State.RUNNING)), "upgrade-under-way", "RUNNING");
    refused(
        with(info(TwinInfo.ABI, idle.crash(), idle.state(), OptionalLong.empty())),
        "no-ecam",
        "MCFG");
  }

  @Test
  void theCrashRegionMustBeThereAndLargeEnough() {
    TwinInfo idle = info(TwinInfo.State.IDLE);
    refused(
        with(info(TwinInfo.ABI, Optional.empty(), idle.state(), idle.ecam())),
        "no-crash-region",
        "crashkernel=");
    // kernel 55.9, initrd 90 + 90, processes 2*80, shared 128, run time 160: 684 MiB.
    assertThat(Preflight.refusals(with(crash(0x3000_0000L, 684)), files(), request())).isEmpty();
    NodeFacts lends = with(crash(0x3000_0000L, 523)).withLendable(1024 * MIB);
    Refusal small = refused(lends, "crash-region-too-small", "523 MiB");
    assertThat(small.why())
        .contains("684 MiB", "kernel 56 MiB", "initrd packed and unpacked 180 MiB")
        .contains("images 160 MiB", "shared region 128 MiB", "run time 160 MiB");
    assertThat(small.todo()).contains("crashkernel=576M");
    refused(with(crash(0xe000_0000L, 1024)), "crash-region-too-high", "4 GiB");
  }

  @Test
  void whatTheProcessesNeedBesideTheCrashRegionMustBeThereToLend() {
    NodeFacts full = with(crash(0x3000_0000L, 524));
    Refusal refusal = refused(full, "not-enough-memory-to-lend", "524 MiB");
    // Of 684 MiB 160 are missing, and their page structures.
    assertThat(refusal.why()).contains("it needs 163 MiB", "only 0 MiB");
    assertThat(Preflight.refusals(full.withLendable(256 * MIB), files(), request())).isEmpty();
    MemoryNeed need = MemoryNeed.of(files(), request());
    assertThat(need.lent(524 * MIB, 128 * MIB)).isEqualTo(256 * MIB);
    assertThat(need.lent(1024 * MIB, 128 * MIB)).isZero();
  }

  @Test
  void theSharedRegionCountsWhereItIsCarvedAlready() {
    TwinInfo.Range crash = new TwinInfo.Range(0x3000_0000L, 556 * MIB);
    TwinInfo.Range shared = new TwinInfo.Range(crash.end(), 128 * MIB);
    TwinInfo carved =
        new TwinInfo(
            TwinInfo.ABI,
            TwinInfo.Role.PRIMARY,
            TwinInfo.State.CARVED,
            Optional.of(crash),
            Optional.of(shared),
            new TwinInfo.Range(0x98000, 0x6000),
            OptionalLong.of(0xb000_0000L),
            3_000_000,
            0,
            OptionalInt.empty());
    assertThat(Preflight.refusals(with(carved), files(), request())).isEmpty();
  }

  @Test
  void withoutTheModuleIoMemTellsTheCrashRegion() {
    NodeFacts none = facts(0, "none", false, false, Optional.empty());
    assertThat(codes(none, files(), request())).containsExactly("module-missing");
  }

  @Test
  void severalCpusCanBeGivenToEveryKernel() {
    NodeFacts four =
        new NodeFacts(
            node.uid(),
            node.lockdown(),
            node.kexecDisabled(),
            node.crashImageLoaded(),
            "5.10.0-46-amd64",
            node.iomem(),
            node.module(),
            node.present(),
            node.present(),
            Set.of(1, 2, 3),
            Map.of(0, 0, 1, 2, 2, 4, 3, 6),
            functions,
            false,
            hostBridges,
            node.availableBytes(),
            node.lendableBytes());
    for (String release : List.of("5.10.0-46-amd64", "6.1.0-56-amd64", "6.12.117+deb12-amd64")) {
      assertThat(codes(four, files(release), cpus(3, 1, 2))).isEmpty();
    }
  }

  @Test
  void cpusThatCannotBeGivenAreRefused() {
    refused(cpus(), "no-cpu", "none");
    refused(cpus(0), "boot-cpu", "boot CPU");
    refused(cpus(7), "unknown-cpu", "[0, 1, 2, 3]");
    refused(cpus(3, 3), "cpu-twice", "twice");
    refused(cpus(2), "cpu-offline", "offline");
    refused(cpus(1), "cpu-not-hotpluggable", "cannot take it offline");
  }

  @Test
  void theBootCpuIsKnownByItsApicIdNotByItsNumber() {
    TwinInfo idle = info(TwinInfo.State.IDLE);
    TwinInfo other =
        new TwinInfo(
            idle.abi(),
            idle.role(),
            idle.state(),
            idle.crash(),
            idle.shared(),
            idle.trampoline(),
            idle.ecam(),
            idle.tscKhz(),
            6,
            OptionalInt.empty());
    assertThat(Preflight.refusals(with(other), files(), cpus(3)))
        .extracting(Refusal::code)
        .containsExactly("boot-cpu");
  }

  @Test
  void busesThatCannotBeGivenAreRefused() {
    refused(buses("0000:99"), "unknown-bus", "no bridge");
    refused(buses("81"), "unknown-bus", "SEGMENT:BUS");
    refused(buses("0000:00"), "bus-not-behind-a-port", "root bus");
    refused(buses("0000:80"), "bus-not-behind-a-port", "root bus");
    refused(buses("0000:82", "0000:82"), "bus-twice", "twice");
    refused(buses("0000:81"), "bus-carries-service", "0000:81:00.0");
    Refusal used = refused(buses("0000:83"), "bus-in-use", "vda is swap space");
    assertThat(used.why()).contains("0000:83:00.0 (virtio-pci)");
  }

  @Test
  void aBusWhoseSecondFunctionIsNeededIsRefused() {
    functions = new ArrayList<>(functions);
    functions.add(
        new PciFunction(
            "0000:82:00.1",
            0x010802,
            "nvme",
            0,
            0,
            "",
            List.of(),
            List.of("nvme0n1 is mounted on /")));
    functions.add(
        new PciFunction(
            "0000:81:00.1",
            0x020000,
            "e1000e",
            0,
            0,
            "DMA",
            List.of("eth7"),
            List.of("eth7 is up")));
    node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));
    assertThat(codes(node, files(), request()))
        .containsExactly("bus-in-use", "bus-in-use", "iommu-translates");
  }

  @Test
  void interruptsThatAnIommuTakesAreRefused() {
    interruptsRemapped = true;
    NodeFacts remapped = with(info(TwinInfo.State.IDLE));
    assertThat(
            only(
                    InterruptChecks.refusals(remapped, false),
                    "interrupts-remapped",
                    "in this kernel's table")
                .todo())
        .contains("intremap=off", "iommu.interrupts=pass");
    assertThat(InterruptChecks.refusals(remapped, true)).isEmpty();
    assertThat(InterruptChecks.refusals(node, false)).isEmpty();
  }

  @Test
  void whatWouldNotFilterPacketsAnyMoreIsRefusedUnlessTheImageDoes() {
    List<String> rules = List.of("nftables' table filter", "routing rule 100, to table 7");
    assertThat(NetworkChecks.refusals(rules, false))
        .extracting(Refusal::what)
        .containsExactlyElementsOf(rules);
    assertThat(NetworkChecks.refusals(rules, true)).isEmpty();
    assertThat(NetworkChecks.refusals(List.of(), false)).isEmpty();
  }

  @Test
  void aKernelThatSocketsCannotGoToIsRefused() {
    assertThat(codes(node, files("5.10.0-46-amd64"), request())).containsExactly("kernel-too-old");
  }

  @Test
  void whatHangsBehindASwitchCounts() {
    functions = new ArrayList<>(functions);
    functions.removeIf(
        function -> Set.of("0000:80:01.0", "0000:83:00.0").contains(function.address()));
    functions.add(
        new PciFunction(
            "0000:80:01.0", 0x060400, "pcieport", 0x82, 0x8f, "", List.of(), List.of()));
    functions.add(
        new PciFunction(
            "0000:8a:00.0",
            0x010802,
            "nvme",
            0,
            0,
            "",
            List.of(),
            List.of("nvme0n1 is mounted on /")));
    node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));
    assertThat(refused(node, "bus-in-use", "nvme0n1").what()).contains("0000:82");
  }

  /** A kernel that another one started sees no root ports, but was told of their buses. */
  @Test
  void aBusThatIsAHostBridgeOfItsOwnCanBePassedOn() {
    functions = new ArrayList<>(functions);
    functions.removeIf(function -> function.secondaryBus() != 0);
    node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));
    assertThat(codes(node, files(), request()))
        .containsExactly("bus-not-behind-a-port", "bus-not-behind-a-port");

    hostBridges = List.of(HostBridge.of(0x81), HostBridge.of(0x82));
    node = facts(0, "none", false, false, Optional.of(info(TwinInfo.State.IDLE)));
    assertThat(codes(node, files(), request())).isEmpty();
  }

  @Test
  void theServicesNicMustBeThere() {
    refused(nic("0000:99:00.0"), "service-nic-missing", "none of that address");
    refused(nic("0000:82:00.0"), "service-nic-missing", "no network interface");
    assertThat(codes(node, files(), nic("0000:00:02.0"))).containsExactly("bus-not-behind-a-port");
  }

  @Test
  void filesThatAreNoneAreRefused() throws IOException {
    Path text = Files.writeString(root.resolve("text"), "#!/bin/sh\n");
    PlanFiles files = PlanFiles.read(text, root.resolve("nowhere"));
    assertThat(codes(node, files, request()))
        .containsExactly("image-not-a-kernel", "initrd-missing");
    assertThat(codes(node, PlanFiles.read(root.resolve("nowhere"), root), request()))
        .containsExactly("image-missing", "initrd-unreadable");
  }

  @Test
  void modulesOfAnotherKernelAreRefused() {
    PlanFiles files = files(new ModuleInfo("lib/twin.ko", Map.of("vermagic", "6.1.0-9 SMP ")));
    assertThat(codes(node, files, request())).containsExactly("module-wrong-version");
    assertThat(Preflight.refusals(node, files, request()).getFirst().why())
        .contains("6.1.0-9", RELEASE);
    PlanFiles good =
        files(new ModuleInfo("lib/twin.ko", Map.of("vermagic", RELEASE + " SMP mod_unload ")));
    assertThat(codes(node, good, request())).isEmpty();
  }

  @Test
  void imagesOfProcessesMustFit() {
    PlanRequest large = request(List.of(3), List.of(), "0000:81:00.0", 3000 * MIB);
    assertThat(codes(node, files(), large))
        .containsExactly("not-enough-memory-to-lend", "not-enough-memory");
  }

  @Test
  void everyRefusalSaysEverything() {
    Random random = new Random(23);
    Set<String> seen = new HashSet<>();
    String[] buses = {"0000:81", "0000:82", "0000:83", "0000:00", "0000:99", "x", ""};
    String[] lockdowns = {"none", "integrity"};
    List<TwinInfo.State> states = List.of(TwinInfo.State.values());
    for (int i = 0; i < 500; i++) {
      TwinInfo info =
          info(
              random.nextInt(3),
              random.nextBoolean()
                  ? Optional.empty()
                  : Optional.of(
                      new TwinInfo.Range(
                          random.nextInt(16) * 0x1000_0000L, random.nextInt(2000) * MIB + 1)),
              states.get(random.nextInt(states.size())),
              random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(0xb000_0000L));
      NodeFacts facts =
          facts(
              random.nextInt(2),
              lockdowns[random.nextInt(2)],
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextBoolean() ? Optional.empty() : Optional.of(info));
      PlanRequest request =
          new PlanRequest(
              IMAGE,
              INITRD,
              random.ints(random.nextInt(3), -1, 6).boxed().toList(),
              List.of(buses[random.nextInt(7)], buses[random.nextInt(7)]),
              buses[random.nextInt(7)] + ":00.0",
              Optional.empty(),
              random.nextInt(500) * MIB,
              random.nextInt(5000) * MIB);
      List<Refusal> refusals = Preflight.refusals(facts, files(), request);
      assertThat(refusals).isEqualTo(Preflight.refusals(facts, files(), request));
      for (Refusal refusal : refusals) {
        seen.add(refusal.code());
        assertThat(refusal.code()).matches("[a-z-]+");
        assertThat(List.of(refusal.what(), refusal.why(), refusal.todo()))
            .allSatisfy(text -> assertThat(text).isNotBlank().doesNotContain("Optional", "null"));
      }
    }
    assertThat(new TreeSet<>(seen)).hasSizeGreaterThan(20);
  }

  private Refusal refused(NodeFacts facts, String code, String why) {
    return only(Preflight.refusals(facts, files(), request()), code, why);
  }

  private Refusal refused(PlanRequest request, String code, String why) {
    return only(Preflight.refusals(node, files(), request), code, why);
  }

  private static Refusal only(List<Refusal> refusals, String code, String why) {
    assertThat(refusals).extracting(Refusal::code).containsExactly(code);
    Refusal refusal = refusals.getFirst();
    assertThat(refusal.what() + " " + refusal.why()).contains(why);
    return refusal;
  }

  private static List<String> codes(NodeFacts facts, PlanFiles files, PlanRequest request) {
    return Preflight.refusals(facts, files, request).stream().map(Refusal::code).toList();
  }

  private static PlanRequest request() {
    return cpus(3);
  }

  private static PlanRequest cpus(Integer... cpus) {
    return request(List.of(cpus), List.of("0000:82"), "0000:81:00.0", 80 * MIB);
  }

  private static PlanRequest buses(String... buses) {
    return request(List.of(3), List.of(buses), "0000:81:00.0", 80 * MIB);
  }

  private static PlanRequest nic(String address) {
    return request(List.of(3), List.of(), address, 80 * MIB);
  }

  private static PlanRequest request(
      List<Integer> cpus, List<String> buses, String nic, long processBytes) {
    return new PlanRequest(
        IMAGE, INITRD, cpus, buses, nic, Optional.empty(), 128 * MIB, processBytes);
  }

  private static PlanFiles files(ModuleInfo... modules) {
    return files(RELEASE, modules);
  }

  private static PlanFiles files(String release, ModuleInfo... modules) {
    return new PlanFiles(
        Optional.of(
            new KernelImage(
                IMAGE, release, release + " #1", 0x20f, 2047, 2 * MIB, 0x37d_c000L, 12 * MIB)),
        Optional.of(new InitrdImage(INITRD, List.of(), 90 * MIB, 90 * MIB, List.of(modules))),
        List.of());
  }

  private NodeFacts with(TwinInfo info) {
    return facts(0, "none", false, false, Optional.of(info));
  }

  private NodeFacts facts(
      int uid, String lockdown, boolean disabled, boolean loaded, Optional<TwinInfo> module) {
    return new NodeFacts(
        uid,
        lockdown,
        disabled,
        loaded,
        "6.1.0-54-cloud-amd64",
        IoMem.parse("30000000-6fffffff : Crash kernel\n"),
        module,
        List.of(0, 1, 2, 3),
        List.of(0, 1, 3),
        Set.of(2, 3),
        Map.of(0, 0, 1, 2, 3, 6),
        functions,
        interruptsRemapped,
        hostBridges,
        2048 * MIB,
        0);
  }

  private static TwinInfo crash(long start, long mebibytes) {
    return info(
        TwinInfo.ABI,
        Optional.of(new TwinInfo.Range(start, mebibytes * MIB)),
        TwinInfo.State.IDLE,
        OptionalLong.of(0xb000_0000L));
  }

  private static TwinInfo info(TwinInfo.State state) {
    return info(
        TwinInfo.ABI,
        Optional.of(new TwinInfo.Range(0x3000_0000L, 1024 * MIB)),
        state,
        OptionalLong.of(0xb000_0000L));
  }

  private static TwinInfo info(
      int abi, Optional<TwinInfo.Range> crash, TwinInfo.State state, OptionalLong ecam) {
    return new TwinInfo(
        abi,
        TwinInfo.Role.PRIMARY,
        state,
        crash,
        Optional.empty(),
        new TwinInfo.Range(0x98000, 0x6000),
        ecam,
        3_000_000,
        0,
        OptionalInt.empty());
  }
}
