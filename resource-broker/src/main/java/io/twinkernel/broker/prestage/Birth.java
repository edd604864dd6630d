package io.twinkernel.broker.prestage;

/**
 * That a thread has made another one, or a process.
 *
 * @param parent number of the thread that has
 * @param child number of what it made, or of that one's first thread
 */
record Birth(int parent, int child) {}
