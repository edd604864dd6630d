@NullMarked
package io.twinkernel.ffi;

import org.jspecify.annotations.NullMarked;
