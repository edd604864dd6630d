/**
 * Linux system calls that carry their errno, over jextract-generated bindings.
 *
 * <p>Each call returns a value or throws {@link io.twinkernel.ffi.SyscallException} with the call,
 * its arguments, the errno and what to do. No policy: what to open, load or hand over is decided
 * elsewhere. All calls go through one linked method handle, see {@link
 * io.twinkernel.ffi.NativeCall}.
 */
@NullMarked
package io.twinkernel.ffi;

import org.jspecify.annotations.NullMarked;
