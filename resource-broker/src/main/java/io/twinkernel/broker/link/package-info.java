/**
 * The shared region: a byte ring each way, frames over it, and the baton that decides who owns the
 * machine.
 */
@NullMarked
package io.twinkernel.broker.link;

import org.jspecify.annotations.NullMarked;
