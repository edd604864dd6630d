/** What a run found out, as JSON and as a page. */
@NullMarked
package io.twinkernel.harness.report;

import org.jspecify.annotations.NullMarked;
