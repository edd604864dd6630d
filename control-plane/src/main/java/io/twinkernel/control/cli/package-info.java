/** The command line tool {@code twinctl}. */
@NullMarked
package io.twinkernel.control.cli;

import org.jspecify.annotations.NullMarked;
