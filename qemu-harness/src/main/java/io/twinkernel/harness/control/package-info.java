/** The control plane as any client sees it: REST and the event bus bridge. */
@NullMarked
package io.twinkernel.harness.control;

import org.jspecify.annotations.NullMarked;
