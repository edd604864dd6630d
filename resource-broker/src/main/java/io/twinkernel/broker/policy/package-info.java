/**
 * Which processes move, which are started anew, which stay; and what keeps one that is to move from
 * moving, by the descriptor or mapping that is the reason.
 */
@NullMarked
package io.twinkernel.broker.policy;

import org.jspecify.annotations.NullMarked;
