package io.twinkernel.broker.policy;

/**
 * A file of the image that a process has open or mapped: the other kernel's image must hold it.
 *
 * @param path in both
 * @param bytes its size, as CRIU compares it; negative: any
 * @param user who needs it, as {@code pid 812 (foo) fd 7}
 */
public record NeededFile(String path, long bytes, String user) {}
