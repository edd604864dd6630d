package io.twinkernel.control.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.twinkernel.control.upgrade.Failure;
import io.twinkernel.control.upgrade.Owner;
import io.twinkernel.control.upgrade.State;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.Verb;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An upgrade as REST shows it.
 *
 * @param terminal nothing more will happen
 * @param waiting it waits for an operator, after the phase {@code until}
 * @param phase what a broker is asked for at present
 * @param kernel release of the new kernel, once known
 * @param sequence of the last event
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record UpgradeView(
    String id,
    String node,
    String image,
    String initrd,
    List<Integer> cpus,
    List<String> buses,
    List<String> faults,
    boolean rehearse,
    int measureLink,
    @Nullable Verb until,
    State state,
    boolean terminal,
    boolean waiting,
    Owner owner,
    @Nullable Verb phase,
    String kernel,
    Map<String, Object> plan,
    @Nullable Failure failure,
    long sequence,
    long createdMs,
    long updatedMs) {

  static UpgradeView of(Upgrade upgrade) {
    var request = upgrade.request();
    Upgrade.InFlight command = upgrade.inFlight();
    return new UpgradeView(
        upgrade.id(),
        request.node(),
        request.image(),
        request.initrd(),
        request.cpus(),
        request.buses(),
        request.faults(),
        request.rehearse(),
        request.measureLink(),
        upgrade.until(),
        upgrade.state(),
        upgrade.state().terminal(),
        upgrade.held(),
        upgrade.owner(),
        command == null ? null : command.verb(),
        upgrade.kernel(),
        upgrade.plan(),
        upgrade.failure(),
        upgrade.sequence(),
        upgrade.createdMs(),
        upgrade.updatedMs());
  }
}
