package io.twinkernel.broker;

import io.twinkernel.broker.agent.Guard;
import io.twinkernel.broker.agent.NodeConf;
import io.twinkernel.broker.agent.Primary;
import io.twinkernel.broker.agent.Secondary;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.KernelModules;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.Uname;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Starts the broker in the role that the kernel's command line gives it. */
public final class Main {
  private Main() {}

  /**
   * {@code --train} exercises what the broker uses and exits; it makes the AOT cache worth it.
   * {@code --guard PID} waits for the end of a broker, see {@link Guard}.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length == 1 && arguments[0].equals("--train")) {
      Training.run();
      return;
    }
    if (arguments.length == 2 && arguments[0].equals(Guard.OPTION)) {
      Guard.run(Integer.parseInt(arguments[1]));
      return;
    }
    String commandLine = Files.readString(Path.of("/proc/cmdline")).strip();
    BootParameters parameters = BootParameters.parse(commandLine);
    if (parameters.fault().equals("twin-hangs")) {
      say("told to hang");
      new java.util.concurrent.CountDownLatch(1).await();
    }
    String kernel = Uname.current().release();
    loadModule(kernel, parameters);
    try (TwinDevice device = TwinDevice.open()) {
      // The module knows best: a kernel that was started beside another one may own it all by now.
      boolean secondary = device.info().role() == TwinInfo.Role.SECONDARY;
      say("broker on " + kernel + ", " + (secondary ? "secondary" : "primary"));
      if (secondary) {
        Secondary.run(device, kernel);
      } else {
        Primary.run(NodeConf.read(), device, kernel);
      }
    }
  }

  private static void loadModule(String kernel, BootParameters parameters) throws SyscallException {
    try (Fd module = Fd.open("/lib/modules/" + kernel + "/twin.ko", Linux.O_RDONLY())) {
      KernelModules.load(module, parameters.moduleParameters(), 0);
    } catch (SyscallException e) {
      // Loaded before: by an earlier life of this broker, or by the operator.
      if (!e.errno().equals(Errno.EEXIST)) {
        throw e;
      }
    }
  }

  private static void say(String text) {
    System.err.println("twin-broker: " + text);
  }
}
