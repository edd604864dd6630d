/**
 * The upgrade as a state machine: plain values and pure functions. What happens is a list of {@link
 * io.twinkernel.control.upgrade.Entry}s; {@link io.twinkernel.control.upgrade.Upgrade#apply} folds
 * them into the present, {@link io.twinkernel.control.upgrade.Decider} says which come next.
 */
@NullMarked
package io.twinkernel.control.upgrade;

import org.jspecify.annotations.NullMarked;
