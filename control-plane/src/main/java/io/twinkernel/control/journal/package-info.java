/** The journal on disk: append-only JSON lines, flushed before anything they announce is done. */
@NullMarked
package io.twinkernel.control.journal;

import org.jspecify.annotations.NullMarked;
