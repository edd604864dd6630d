package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The NIC that carries the service in A comes itself: its driver here takes it in the gap. A
 * stand-in has its addresses until then, so that sockets can be restored without it.
 */
final class IncomingFunction implements IncomingNic {
  private static final Path REHEARSAL = Path.of("/run/twin/rehearsal");

  private final TwinDevice device;
  private final String function;
  private final byte[] ssdt;
  private final StandInInterface standIn;
  private final Optional<NicRehearsal> rehearsal;
  private @Nullable String name;

  /**
   * @param function its PCI address
   * @param ssdt describes the bus it is on, which is enumerated here
   * @param rehearsal a NIC of the same kind to practise on, where there is one
   */
  IncomingFunction(
      TwinDevice device,
      String function,
      byte[] ssdt,
      StandInInterface standIn,
      Optional<NicRehearsal> rehearsal)
      throws IOException {
    this.device = device;
    this.function = function;
    this.ssdt = ssdt;
    this.standIn = standIn;
    this.rehearsal = rehearsal;
    // As sysfs will be, when the NIC's driver has made its interface.
    Path rehearsed = REHEARSAL.resolve("bus/pci/devices").resolve(function);
    Files.createDirectories(rehearsed.resolve("virtio0/net/eth0"));
  }

  @Override
  public void rehearse() throws IOException {
    ServiceNic.interfaceOf(REHEARSAL, function);
    standIn.rehearse();
    // This is no table.
    Refused.call(() -> device.adoptPci(new byte[0]));
  }

  @Override
  public void practise() throws IOException {
    if (rehearsal.isPresent()) {
      rehearsal.get().run();
    }
  }

  @Override
  public void getReady() throws IOException {
    standIn.listen();
  }

  /** A has let go of it: takes it, link down. */
  void take(Inbox.Message message, Trace trace) throws IOException {
    trace.add("nic-message", Stamp.of(message.payload()), message.arrivedTsc());
    long from = trace.add("nic-handler", message.arrivedTsc());
    device.adoptPci(ssdt);
    from = trace.add("nic-bind", from);
    String found = ServiceNic.interfaceOf(function);
    from = trace.add("nic-find", from);
    standIn.prepare(found);
    trace.add("addresses", from);
    name = found;
  }

  @Override
  public void requireHere() throws IOException {
    here();
  }

  private String here() throws IOException {
    String found = name;
    if (found == null) {
      throw new IOException("the image came before the NIC");
    }
    return found;
  }

  @Override
  public void open(Steps steps) throws IOException {
    standIn.replace(here(), steps);
  }

  /** Its addresses are where they were. */
  @Override
  public void announce() {}

  @Override
  public void give(byte[] frames) throws IOException {
    throw new IOException("A sends what its NIC received, and gave the NIC");
  }

  @Override
  public void letGo() throws IOException {
    ServiceNic.suspend(device, function);
  }

  @Override
  public void cleanUp() throws IOException {
    standIn.clear();
    if (rehearsal.isPresent()) {
      rehearsal.get().end();
    }
  }

  @Override
  public void abandon() throws IOException {
    cleanUp();
  }
}
