package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.math.BigDecimal;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the world learns about an upgrade. The JSON schema stands in the resource {@code
 * io/twinkernel/control/event.schema.json}.
 *
 * @param upgrade its id
 * @param sequence from 1 within the upgrade, without a gap
 * @param atMs ms since 1970 by the clock of the one who says it, to the microsecond
 * @param node the machine
 * @param kernel the release of the kernel that says it; empty if the control plane itself does
 * @param phase what it is about
 * @param status how that stands
 * @param state the upgrade's state after it
 * @param message for people
 * @param detail figures, by the phase
 * @param tsc the machine's time stamp counter, one clock for both kernels; none if the control
 *     plane says it
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record UpgradeEvent(
    String upgrade,
    long sequence,
    BigDecimal atMs,
    String node,
    String kernel,
    Phase phase,
    Status status,
    State state,
    String message,
    Map<String, Object> detail,
    @Nullable Long tsc) {}
