/** Which physical memory a kernel owns. */
@NullMarked
package io.twinkernel.broker.memory;

import org.jspecify.annotations.NullMarked;
