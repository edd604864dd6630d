package io.twinkernel.broker.plan;

/**
 * One reason why an upgrade cannot be.
 *
 * @param code stable, for programs, such as {@code crash-region-too-small}
 * @param what the thing that is in the way
 * @param why what is wrong with it, with figures
 * @param todo what the operator can do
 */
public record Refusal(String code, String what, String why, String todo) {}
