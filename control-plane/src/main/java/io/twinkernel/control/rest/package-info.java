/** The operators' side: REST over HTTP and the bridges of the event bus. */
@NullMarked
package io.twinkernel.control.rest;

import org.jspecify.annotations.NullMarked;
