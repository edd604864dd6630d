package io.twinkernel.harness.qemu;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Something that QEMU told by itself.
 *
 * @param name such as {@code SHUTDOWN} or {@code RESUME}
 * @param data what belongs to it, an object, empty where there is nothing
 */
public record QmpEvent(String name, JsonNode data) {}
