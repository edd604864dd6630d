/**
 * Processes that wait in the other kernel: restored there ahead of the switch, stopped, and kept up
 * to date. At the switch they take the last changed pages, registers and connections, and run.
 *
 * <p>In A {@link SourceProcess} says what changed, in B {@link StagedProcess} takes it. Whatever a
 * {@link ProcessDelta} cannot express, a file opened or a thread started since, is noticed and
 * means that the process is staged anew.
 */
@NullMarked
package io.twinkernel.broker.prestage;

import org.jspecify.annotations.NullMarked;
