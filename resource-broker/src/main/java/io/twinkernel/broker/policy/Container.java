package io.twinkernel.broker.policy;

import io.twinkernel.broker.process.ContainerMounts;

/**
 * A tree of processes in a mount namespace of its own, which goes over with it.
 *
 * @param pid of its root, as the machine numbers it
 * @param mounts what the other kernel has for it: its root, a directory in the image of both
 * @param bytes what lies in its file systems in memory
 */
public record Container(int pid, ContainerMounts mounts, long bytes) {}
