/** The control channel: lines of JSON to and from the control plane. */
@NullMarked
package io.twinkernel.broker.protocol;

import org.jspecify.annotations.NullMarked;
