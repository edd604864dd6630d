/**
 * Runs upgrades: takes what brokers and operators say, journals what follows from it, then does it.
 */
@NullMarked
package io.twinkernel.control.engine;

import org.jspecify.annotations.NullMarked;
