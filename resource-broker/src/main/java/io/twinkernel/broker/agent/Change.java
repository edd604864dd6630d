package io.twinkernel.broker.agent;

/**
 * What keeps copies from becoming the processes that they are of.
 *
 * @param root of the tree whose copies cannot be used; 0 if it is in none of those that wait
 * @param why what it is that changed
 * @param passes whether it is on its way, and gone when the processes have run for a moment
 */
record Change(int root, String why, boolean passes) {}
