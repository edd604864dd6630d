/**
 * The configuration of a network interface: read in one kernel, applied in the other.
 *
 * <p>Over rtnetlink (rtnetlink(7), RFC 3549), so that within the gap it costs two system calls: all
 * changes go to the kernel in one message, all acknowledgements come back.
 */
@NullMarked
package io.twinkernel.broker.net;

import org.jspecify.annotations.NullMarked;
