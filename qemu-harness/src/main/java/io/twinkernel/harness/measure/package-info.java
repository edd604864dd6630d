/** Many runs, and what they have in common: {@code twin measure}. */
@NullMarked
package io.twinkernel.harness.measure;

import org.jspecify.annotations.NullMarked;
