/**
 * The processes of a service: finding them, stopping them, and carrying them over with CRIU.
 *
 * <h2>How a process goes over</h2>
 *
 * <ol>
 *   <li>While it serves: {@link io.twinkernel.broker.process.Criu#preDump} once or more; each
 *       copies the memory that changed since the one before.
 *   <li>{@link io.twinkernel.broker.process.CgroupFreezer#stop}: the whole service stops at once.
 *   <li>The network interface leaves the first kernel. From here on the state of its sockets cannot
 *       change.
 *   <li>{@link io.twinkernel.broker.process.Criu#dump} leaves the processes stopped and their
 *       sockets intact, so that the first kernel can resume them with SIGCONT as long as nothing is
 *       committed.
 *   <li>{@link io.twinkernel.broker.process.Criu#restore} in the second kernel: what was dumped
 *       stopped comes back stopped; SIGCONT once the network interface is there.
 * </ol>
 *
 * <h2>Why SIGSTOP, and not CRIU's {@code leave-stopped} or the frozen cgroup</h2>
 *
 * <p>Read in CRIU 3.17.1. With {@code leave-stopped} {@code cr_dump_finish()} (criu/cr-dump.c)
 * skips {@code network_unlock()}, and with it {@code cpt_unlock_tcp_connections()}: the sockets
 * would stay in repair mode and A could not resume. Besides, the request protocol has no field for
 * it. With {@code leave_running} everything is unlocked, and {@code compel_resume_task()}
 * (compel/src/lib/ infect.c) stops again what it found stopped. A task held by the cgroup v2
 * freezer cannot run the code that CRIU injects into it; {@code --freeze-cgroup} ({@code
 * freeze_processes()} in criu/seize.c) therefore thaws the group while it dumps, waits in steps of
 * 100 ms, and records the task as running. So the freezer serves only to make stopping atomic:
 * freeze, SIGSTOP to all, thaw; a task that leaves the freezer takes its signal before it returns
 * to user space.
 *
 * <h2>What is slow, and is done before</h2>
 *
 * <p>{@code criu service} probes the kernel when it starts ({@code kerndat_init()} in
 * criu/crtools.c) and keeps the result in /run/criu.kdat if /run is a tmpfs; every request reads it
 * again. It forks a worker for each connection ({@code cr_service()} in criu/cr-service.c), so
 * {@link io.twinkernel.broker.process.Criu} keeps one connection open ahead of the next request.
 */
@NullMarked
package io.twinkernel.broker.process;

import org.jspecify.annotations.NullMarked;
