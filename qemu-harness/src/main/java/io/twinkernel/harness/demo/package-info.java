/** The demonstration: one upgrade from start to report. */
@NullMarked
package io.twinkernel.harness.demo;

import org.jspecify.annotations.NullMarked;
