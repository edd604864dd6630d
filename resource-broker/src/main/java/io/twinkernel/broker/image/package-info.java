/**
 * The files that a kernel starts from: what they say about themselves, and whether they are whole.
 *
 * <p>Nothing here changes anything or reads a whole image into memory.
 */
@NullMarked
package io.twinkernel.broker.image;

import org.jspecify.annotations.NullMarked;
