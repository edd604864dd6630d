// SPDX-License-Identifier: GPL-2.0
/*
 * The interval timers of a process (setitimer(2)), which the kernel tells
 * nobody but the process itself.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "twin_internal.h"

/* Of what its processor time is counted for. */
static bool counts_time(const struct signal_struct *signal)
{
	return READ_ONCE(signal->it[CPUCLOCK_PROF].expires) ||
	       READ_ONCE(signal->it[CPUCLOCK_VIRT].expires);
}

/* The task keeps its signal_struct, also when it has ended. */
int twin_timers_read(struct twin_timers *timers)
{
	struct task_struct *task;
	struct hrtimer *real;

	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	task = twin_get_task(timers->pid, PIDTYPE_TGID);
	if (!task)
		return -ESRCH;
	real = &task->signal->real_timer;
	timers->real = 0;
	if (hrtimer_active(real))
		/* It is about to expire where no time is left. */
		timers->real = max_t(s64, 1, hrtimer_get_remaining(real));
	timers->interval = READ_ONCE(task->signal->it_real_incr);
	timers->others = counts_time(task->signal);
	put_task_struct(task);
	return 0;
}
