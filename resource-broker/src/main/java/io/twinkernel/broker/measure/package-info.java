/**
 * How fast messages get from one kernel to the other: figures, and TCP to compare the link with.
 */
@NullMarked
package io.twinkernel.broker.measure;

import org.jspecify.annotations.NullMarked;
