/** What went over the tap: packets captured, and what TCP made of them. */
@NullMarked
package io.twinkernel.harness.capture;

import org.jspecify.annotations.NullMarked;
