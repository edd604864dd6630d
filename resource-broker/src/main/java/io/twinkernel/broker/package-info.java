/** The privileged agent in each kernel. */
@NullMarked
package io.twinkernel.broker;

import org.jspecify.annotations.NullMarked;
