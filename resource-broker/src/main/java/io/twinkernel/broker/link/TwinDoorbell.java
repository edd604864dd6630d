package io.twinkernel.broker.link;

import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.time.Duration;

/** The doorbell interrupt of /dev/twin. */
public final class TwinDoorbell implements Doorbell {
  private final TwinDevice device;

  public TwinDoorbell(TwinDevice device) {
    this.device = device;
  }

  @Override
  public void ring() throws IOException {
    device.doorbell();
  }

  @Override
  public boolean await(Duration timeout) throws IOException {
    int events = device.poll(timeout);
    if ((events & Linux.POLLHUP()) != 0) {
      throw new LinkException.PeerGone("waiting for its doorbell");
    }
    if ((events & Linux.POLLIN()) == 0) {
      return false;
    }
    device.readDoorbell();
    return true;
  }
}
