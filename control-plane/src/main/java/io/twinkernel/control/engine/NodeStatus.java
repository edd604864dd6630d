package io.twinkernel.control.engine;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.twinkernel.control.upgrade.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A machine, as the control plane sees it.
 *
 * @param brokers those that are connected
 * @param upgrade the one that is under way
 * @param lastUpgrade the latest one, under way or not
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NodeStatus(
    String node,
    boolean connected,
    List<Broker> brokers,
    @Nullable String upgrade,
    @Nullable String lastUpgrade) {

  /** A connected broker. */
  public record Broker(Role role, String kernel, long tscKhz) {}
}
