/** The brokers' side: newline-delimited JSON over TCP. */
@NullMarked
package io.twinkernel.control.broker;

import org.jspecify.annotations.NullMarked;
