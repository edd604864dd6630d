/** A file system on a disk of its own: what it is, and holding it still. */
@NullMarked
package io.twinkernel.broker.disk;

import org.jspecify.annotations.NullMarked;
