/** The outside client: measures a service over connections that it never reopens. */
@NullMarked
package io.twinkernel.harness.client;

import org.jspecify.annotations.NullMarked;
