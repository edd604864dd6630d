/** Builds the images that boot, reproducibly, from Debian packages. */
@NullMarked
package io.twinkernel.rootfs;

import org.jspecify.annotations.NullMarked;
