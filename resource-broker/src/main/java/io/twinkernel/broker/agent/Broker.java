package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.ControlChannel;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A broker at the control plane: hands it commands and replies, one command at a time. A rollback
 * that arrives while another verb waits for B interrupts that verb.
 */
final class Broker implements AutoCloseable {
  /** Carries out one command on the broker's thread. */
  @FunctionalInterface
  interface Verbs {
    Map<String, Object> perform(Command command) throws BrokerException;
  }

  private final ControlChannel channel;
  private final String kernel;
  private volatile String role;
  private final LinkedBlockingQueue<Work> queue = new LinkedBlockingQueue<>();
  private final Thread worker = Thread.currentThread();

  /** What the broker's thread does next. */
  private sealed interface Work {
    /** The control plane asks for it. */
    record Asked(Command command) implements Work {}

    /** The machine asks for it. */
    record Due(Runnable action) implements Work {}
  }

  /** Belongs to the calling thread, which serves the commands. */
  Broker(NodeConf conf, String role, String kernel, TwinDevice device) throws IOException {
    long khz = device.info().tscKhz();
    this.kernel = kernel;
    this.role = role;
    this.channel =
        new ControlChannel(
            new InetSocketAddress(conf.controlHost(), conf.controlPort()),
            hello(conf, khz),
            this::receive);
  }

  private Supplier<Map<String, Object>> hello(NodeConf conf, long khz) {
    return () ->
        Map.of(
            "node",
            conf.node(),
            "role",
            role,
            "kernel",
            kernel,
            "token",
            conf.controlToken(),
            "instance",
            "",
            "tsc_khz",
            khz,
            "tsc",
            Tsc.read());
  }

  void start() {
    channel.start();
  }

  /**
   * Tells the control plane that this kernel is something else from now on; it learns so after all
   * that was sent before.
   */
  void become(String newRole) {
    role = newRole;
    channel.greet();
  }

  /** Sends an event in the form of the control channel. */
  void event(Map<String, Object> event) {
    channel.send(event);
  }

  /**
   * Carries out commands on the calling thread.
   *
   * @param until asked after each; true ends the loop
   */
  void serve(Verbs verbs, BooleanSupplier until) {
    while (!until.getAsBoolean()) {
      switch (next()) {
        case Work.Asked(Command command) -> answer(command, verbs);
        case Work.Due(Runnable action) -> action.run();
      }
    }
  }

  private void answer(Command command, Verbs verbs) {
    try {
      channel.send(ControlChannel.reply(command, verbs.perform(command)));
    } catch (BrokerException e) {
      channel.send(ControlChannel.reply(command, e.failure()));
    }
  }

  /** Has the broker's thread do something between two verbs. */
  void between(Runnable action) {
    queue.add(new Work.Due(action));
  }

  private Work next() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException e) {
        // A rollback that came between two verbs: its command follows.
      }
    }
  }

  private void receive(Command command) {
    // Before its command is there to be taken: later it would interrupt the rollback itself.
    if (command.verb() == Command.Verb.ROLLBACK) {
      worker.interrupt();
    }
    queue.add(new Work.Asked(command));
  }

  @Override
  public void close() {
    channel.close();
  }
}
