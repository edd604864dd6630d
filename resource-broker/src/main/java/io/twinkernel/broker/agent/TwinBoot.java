package io.twinkernel.broker.agent;

import static java.util.stream.Collectors.joining;

import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.cpu.CpuList;
import io.twinkernel.broker.cpu.PinnedThreads;
import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TwinDoorbell;
import io.twinkernel.broker.measure.Effort;
import io.twinkernel.broker.policy.Policy;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Starts B on CPUs of A's and waits until its broker answers. */
final class TwinBoot {
  private final TwinDevice device;
  private final Consumer<Map<String, Object>> events;
  private final Consumer<IOException> lost;
  private final Duration deadline;
  private final List<String> measuredNics;
  private volatile @Nullable LinkMeter meter;

  /**
   * @param events takes what B's broker reports
   * @param lost told when B has stopped, or its link is damaged, whoever waits for it or not
   * @param deadline how long B may take
   * @param measuredNics see {@link LinkMeasurement}
   */
  TwinBoot(
      TwinDevice device,
      Consumer<Map<String, Object>> events,
      Consumer<IOException> lost,
      Duration deadline,
      List<String> measuredNics) {
    this.device = device;
    this.events = events;
    this.lost = lost;
    this.deadline = deadline;
    this.measuredNics = measuredNics;
  }

  /**
   * @param running receives what stops B again, also when this fails
   */
  Stage.Booted boot(Stage.Prepared prepared, Undo running, Clock clock)
      throws IOException, BrokerException, InterruptedException {
    int cpu = prepared.plan().cpus().getFirst();
    var inbox = new Inbox();
    List<Integer> cpus = prepared.plan().cpus();
    notePinned(running);
    device.arm(cpu);
    // Undone last: before, none of B's CPUs may run B any more.
    running.push("ending the twin", () -> disarm(cpus));
    // B's broker starts its further CPUs; here they only have to be off.
    for (int further : cpus.subList(1, cpus.size())) {
      running.push("taking cpu" + further + " back", () -> CpuHotplug.online(further));
      CpuHotplug.offline(further);
    }
    running.push("taking cpu" + cpu + " back", () -> CpuHotplug.online(cpu));
    Link link =
        prepared
            .region()
            .connect(
                SharedRegion.Side.A,
                new TwinDoorbell(device),
                (type, payload) -> receive(inbox, type, payload),
                reason -> ended(prepared.region(), inbox, reason));
    running.push("closing the link", link::close);
    // The region stays mapped until nobody listens any more; the service need not wait for that.
    prepared.undo().push("waiting for the link to end", () -> join(link));
    clock.publish(prepared.region());
    long start = System.nanoTime();
    CpuHotplug.offline(cpu);
    Optional<Inbox.Message> hello = awaitHello(inbox);
    if (hello.isEmpty()) {
      throw new BrokerException(
          new Failure(
              "twin-not-up",
              "kernel B on cpu" + cpu,
              "its broker did not answer within " + deadline.toSeconds() + " s",
              "read B's console; A goes on as before",
              false));
    }
    requireCpus(prepared.apicIds(), hello.get().json());
    var took = Duration.ofNanos(System.nanoTime() - start);
    String kernel = hello.get().json().text("kernel");
    var peer = new Peer(link, inbox);
    peer.link().send(FrameType.CONFIG, Files.readAllBytes(NodeConf.FILE));
    if (Files.exists(Policy.FILE)) {
      peer.link().send(FrameType.POLICY, Files.readAllBytes(Policy.FILE));
    }
    var settings = new HashMap<String, Object>(HostName.read());
    settings.put("limits", new KernelLimits().read());
    peer.send(FrameType.SETTINGS, settings);
    return new Stage.Booted(prepared, running, peer, kernel, took, measured(prepared, link));
  }

  /** Where they cannot be found out, what runs on these CPUs alone runs on any. */
  private static void notePinned(Undo running) {
    try {
      running.push("having threads run where they did", PinnedThreads.note()::restore);
    } catch (IOException e) {
      KernelLog.say("threads will run on any CPU: " + e.getMessage());
    }
  }

  private Map<String, Object> measured(Stage.Prepared prepared, Link link)
      throws BrokerException, InterruptedException {
    int samples = prepared.plan().measureLink();
    if (samples == 0) {
      return Map.of();
    }
    var measuring = new LinkMeter(link);
    meter = measuring;
    return new LinkMeasurement(measuring, measuredNics).run(Effort.of(samples));
  }

  /** What A cannot use and B does not run on would be lost until the end of the upgrade. */
  static void requireCpus(List<Integer> given, Fields hello) throws IOException, BrokerException {
    List<Integer> running = hello.numbers("apic_ids");
    if (!running.containsAll(given)) {
      throw new BrokerException(
          new Failure(
              "twin-cpus-not-up",
              "kernel B's CPUs",
              "of those with APIC ids "
                  + given
                  + " it runs on "
                  + running
                  + hello.texts("cpu_failures").stream().map("; "::concat).collect(joining()),
              "read B's console, or give it one CPU; A goes on as before",
              false));
    }
  }

  private void disarm(List<Integer> cpus) throws IOException {
    List<Integer> online = CpuList.parse(CpuHotplug.onlineList());
    if (!online.containsAll(cpus)) {
      throw new IOException("of the CPUs " + cpus + " only these are back: " + online);
    }
    device.disarm();
  }

  private void ended(SharedRegion region, Inbox inbox, IOException reason) {
    IOException why =
        reason instanceof LinkException.PeerGone && region.panicked(SharedRegion.Side.B)
            ? LinkException.PeerGone.panicked()
            : reason;
    inbox.end(why);
    LinkMeter measuring = meter;
    if (measuring != null) {
      measuring.end(why);
    }
    if (!(why instanceof LinkException.Closed)) {
      lost.accept(why);
    }
  }

  private static void join(Link link) throws IOException {
    try {
      link.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private Optional<Inbox.Message> awaitHello(Inbox inbox)
      throws IOException, InterruptedException, BrokerException {
    try {
      Optional<Inbox.Message> message = inbox.poll(deadline.toNanos());
      if (message.isPresent() && message.get().type() != FrameType.HELLO) {
        throw new LinkException.Corrupt("message " + message.get().type() + " before HELLO");
      }
      return message;
    } catch (LinkException e) {
      throw new BrokerException(
          new Failure(
              "twin-not-up",
              "kernel B",
              e.getMessage() == null ? "the link ended" : e.getMessage(),
              "read B's console; A goes on as before",
              false),
          e);
    }
  }

  private void receive(Inbox inbox, int type, MemorySegment payload) throws IOException {
    LinkMeter measuring = meter;
    if (measuring != null && LinkMeter.takes(type)) {
      measuring.receive(type, payload);
      return;
    }
    byte[] bytes = payload.toArray(ValueLayout.JAVA_BYTE);
    if (type == FrameType.EVENT) {
      events.accept(Json.parse(new String(bytes, StandardCharsets.UTF_8)));
    } else {
      inbox.put(type, bytes);
    }
  }
}
