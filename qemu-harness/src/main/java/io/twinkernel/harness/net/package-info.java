/** The network of a run and what a run leaves to clean up. */
@NullMarked
package io.twinkernel.harness.net;

import org.jspecify.annotations.NullMarked;
