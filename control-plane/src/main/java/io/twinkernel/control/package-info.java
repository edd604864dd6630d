/** The upgrade as a durable state machine, its REST interface and its event bus. */
@NullMarked
package io.twinkernel.control;

import org.jspecify.annotations.NullMarked;
