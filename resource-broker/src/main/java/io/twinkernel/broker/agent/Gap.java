package io.twinkernel.broker.agent;

/**
 * The critical section on the time stamp counter, which both kernels share.
 *
 * @param frozen A began to stop the processes
 * @param stopped none of them ran any more
 * @param committed B moved the baton
 * @param resumed all of them ran again, in B
 */
record Gap(long frozen, long stopped, long committed, long resumed) {}
