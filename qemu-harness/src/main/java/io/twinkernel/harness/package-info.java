/** Boots machines in QEMU, runs upgrades, measures from outside. */
@NullMarked
package io.twinkernel.harness;

import org.jspecify.annotations.NullMarked;
