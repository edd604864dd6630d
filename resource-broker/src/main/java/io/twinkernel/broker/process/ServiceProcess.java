package io.twinkernel.broker.process;

/**
 * A process, as {@code /proc/PID/stat} tells it (proc(5)).
 *
 * @param pid in our PID namespace
 * @param parent PID of its parent, 0 for none
 * @param name {@code comm}, at most 15 bytes
 * @param state one letter: R, S, D, T (stopped), t (traced), Z, X, I
 * @param residentBytes memory that it has resident
 * @param threads how many threads it has
 */
public record ServiceProcess(
    int pid, int parent, String name, char state, long residentBytes, int threads) {}
