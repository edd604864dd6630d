/** Serial consoles of a machine: recorded, attached to, and used to run commands. */
@NullMarked
package io.twinkernel.harness.console;

import org.jspecify.annotations.NullMarked;
