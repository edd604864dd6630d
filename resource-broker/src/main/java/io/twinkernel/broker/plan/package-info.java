/**
 * Whether an upgrade can be, decided before anything is changed.
 *
 * <p>{@link io.twinkernel.broker.plan.NodeFacts} is what the machine is, {@link
 * io.twinkernel.broker.plan.PlanFiles} what the files are, {@link
 * io.twinkernel.broker.plan.PlanRequest} what is wanted; {@link
 * io.twinkernel.broker.plan.Preflight} says from these three, and from nothing else, everything
 * that is in the way.
 */
@NullMarked
package io.twinkernel.broker.plan;

import org.jspecify.annotations.NullMarked;
