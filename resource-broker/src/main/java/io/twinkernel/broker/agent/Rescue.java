package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * The part of {@link Recovery} for which clients wait, made ready before it is needed: processes
 * that a broker which has ended left standing go on.
 */
final class Rescue {
  /** So often it is done for nothing: then it is compiled, and the kernel's side in the caches. */
  private static final int PRACTICE = 40;

  private final TwinDevice device;
  private final Service service;
  private final TwinPort port;

  private Rescue(TwinDevice device, Service service, TwinPort port) {
    this.device = device;
    this.service = service;
    this.port = port;
  }

  /**
   * @param broker its process
   */
  static Rescue prepare(NodeConf conf, TwinDevice device, int broker) throws IOException {
    return new Rescue(
        device, Service.of(conf, broker), ServicePort.port(device, conf.serviceFunction()));
  }

  /** Does it to a connection of this process's own. */
  void practise() throws IOException {
    int self = Math.toIntExact(ProcessHandle.current().pid());
    InetAddress here = InetAddress.getLoopbackAddress();
    TwinPort none = ServicePort.none(device);
    try (var server = new ServerSocket(0, 1, here);
        var _ = new Socket(here, server.getLocalPort());
        var _ = server.accept()) {
      for (int time = 0; time < PRACTICE; time++) {
        var _ = Recovery.decide(device, Baton.ABORTED);
        ServicePort.free(none);
        var _ = service.processes();
        SourceProcess.releaseConnections(self);
      }
    }
  }

  /**
   * Does it if the processes are this kernel's and B can have no device of theirs. All else that is
   * to be undone is left to {@link Recovery#goOn}.
   *
   * @return whether they go on
   */
  boolean run() throws IOException {
    if (!Recovery.canGoOn(Recovery.decide(device, Baton.SWITCHING))) {
      return false;
    }
    try {
      for (ServiceProcess process : service.processes().processes()) {
        release(process.pid());
      }
      ServicePort.free(port);
    } catch (IOException e) {
      KernelLog.say("recovery: a new broker has to do more: " + e.getMessage());
    } finally {
      service.release();
    }
    return true;
  }

  private static void release(int pid) {
    try {
      SourceProcess.releaseConnections(pid);
    } catch (IOException e) {
      KernelLog.say("recovery: process " + pid + ": " + e.getMessage());
    }
  }
}
