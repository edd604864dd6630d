/** One configuration of JSON for journal, brokers and REST. */
@NullMarked
package io.twinkernel.control.json;

import org.jspecify.annotations.NullMarked;
