/** A machine in QEMU: its command line, its process, its QMP monitor. */
@NullMarked
package io.twinkernel.harness.qemu;

import org.jspecify.annotations.NullMarked;
