/** The brokers of both kernels and the upgrade they carry out together. */
@NullMarked
package io.twinkernel.broker.agent;

import org.jspecify.annotations.NullMarked;
