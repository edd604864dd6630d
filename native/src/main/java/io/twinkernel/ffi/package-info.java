/** Linux system calls that carry their errno, over jextract-generated bindings. */
@NullMarked
package io.twinkernel.ffi;

import org.jspecify.annotations.NullMarked;
