// SPDX-License-Identifier: GPL-2.0
/*
 * What the threads of a stopped process have in their registers, and which
 * signals wait for them: what a tracer reads (ptrace(2)), but the threads need
 * not run for it, and each of them twice.
 */
#include <linux/elf.h>
#include <linux/pid.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/segment.h>

#include "twin_internal.h"

/* One of them, from when it was found to stand still. */
struct still {
	struct task_struct *task;
	unsigned long switches;
};

struct reading {
	struct twin_threads *threads;
	struct still *still;
	void *buffer;		/* for the larger of both */
};

static const struct user_regset *find(const struct user_regset_view *view,
				      unsigned int type)
{
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == type)
			return &view->regsets[i];
	return NULL;
}

static unsigned int bytes_of(const struct user_regset *regset)
{
	return regset->n * regset->size;
}

/* It stands still where signals are delivered, and all it has is saved. */
static bool is_still(struct task_struct *task)
{
	if (!task_is_stopped(task))
		return false;
	/* It may still be about to leave its CPU: wait_task_inactive(). */
	while (smp_load_acquire(&task->on_cpu)) {
		if (!task_is_stopped(task))
			return false;
		cpu_relax();
	}
	return true;
}

static unsigned long switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* Since it was found to stand still it has not run. */
static bool has_stayed(const struct still *still)
{
	return is_still(still->task) &&
	       switches(still->task) == still->switches;
}

/* What of it is in the local descriptor table is read under a lock of its mm. */
static bool is_usual(const struct task_struct *task)
{
	return !(task->flags & TWIN_PF_WORKERS) &&
	       !((task->thread.fsindex | task->thread.gsindex) & SEGMENT_TI_MASK);
}

static int put_regset(struct task_struct *task, struct reading *reading,
		      const struct user_regset *regset, u64 to, u32 i)
{
	unsigned int bytes = bytes_of(regset);
	int got = regset_get(task, regset, bytes, reading->buffer);

	if (got < 0)
		return got;
	if (got != bytes)
		return -EIO;
	to += (u64)i * bytes;
	return copy_to_user(u64_to_user_ptr(to), reading->buffer, bytes) ?
		-EFAULT : 0;
}

static int put_registers(struct task_struct *task, struct reading *reading, u32 i)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	const struct user_regset *general = find(view, NT_PRSTATUS);
	const struct user_regset *extended = find(view, NT_X86_XSTATE);
	struct twin_threads *to = reading->threads;

	if (!general || !extended || bytes_of(general) != to->general_size)
		return -EOPNOTSUPP;
	if (bytes_of(extended) != to->extended_size) {
		to->extended_size = bytes_of(extended);
		return -EMSGSIZE;
	}
	if (!reading->buffer)
		reading->buffer = kmalloc(max(to->general_size,
					      to->extended_size), GFP_KERNEL);
	if (!reading->buffer)
		return -ENOMEM;
	return put_regset(task, reading, general, to->general, i) ?:
	       put_regset(task, reading, extended, to->extended, i);
}

static int read_task(struct still *still, struct reading *reading, u32 i,
		     struct twin_thread *thread)
{
	struct task_struct *task = still->task;
	int err;

	if (task->flags & PF_KTHREAD)
		return -EOPNOTSUPP;
	if (!is_still(task))
		return -EAGAIN;
	still->switches = switches(task);
	if (!is_usual(task))
		return -EOPNOTSUPP;
	thread->blocked = test_tsk_restore_sigmask(task) ?
		task->saved_sigmask.sig[0] : task->blocked.sig[0];
	thread->pending = READ_ONCE(task->pending.signal.sig[0]);
	/* The general ones are on its stack, which it may be about to lose. */
	if (!try_get_task_stack(task))
		return -ESRCH;
	err = put_registers(task, reading, i);
	static_call(twin_put_task_stack)(task);
	return err;
}

struct task_struct *twin_get_task(u32 number, enum pid_type type)
{
	struct pid *pid = find_get_pid(number);
	struct task_struct *task = get_pid_task(pid, type);

	put_pid(pid);
	return task;
}

static int read_thread(struct task_struct *leader, struct reading *reading,
		       u32 i)
{
	struct twin_thread __user *user =
		(struct twin_thread __user *)u64_to_user_ptr(reading->threads->threads) + i;
	struct still *still = &reading->still[i];
	struct twin_thread thread;
	int err;

	if (copy_from_user(&thread, user, sizeof(thread)))
		return -EFAULT;
	still->task = twin_get_task(thread.number, PIDTYPE_PID);
	if (!still->task || !same_thread_group(still->task, leader))
		return -ESRCH;
	err = read_task(still, reading, i, &thread);
	if (!err && copy_to_user(user, &thread, sizeof(thread)))
		err = -EFAULT;
	return err;
}

/* What was read is of one moment: none of them has run in between. */
static int have_stayed(struct task_struct *leader, const struct reading *reading)
{
	u32 i;

	reading->threads->pending =
		READ_ONCE(leader->signal->shared_pending.signal.sig[0]);
	for (i = 0; i < reading->threads->count; i++)
		if (!has_stayed(&reading->still[i]))
			return -EAGAIN;
	return get_nr_threads(leader) == reading->threads->count ? 0 : -ESRCH;
}

static int read_all(struct task_struct *leader, struct twin_threads *threads)
{
	struct reading reading = { .threads = threads };
	int err = 0;
	u32 i;

	if (!threads->count || get_nr_threads(leader) != threads->count)
		return -ESRCH;
	reading.still = kvcalloc(threads->count, sizeof(*reading.still),
				 GFP_KERNEL);
	if (!reading.still)
		return -ENOMEM;
	for (i = 0; !err && i < threads->count; i++) {
		err = read_thread(leader, &reading, i);
		cond_resched();
	}
	err = err ?: have_stayed(leader, &reading);
	for (i = 0; i < threads->count; i++)
		if (reading.still[i].task)
			put_task_struct(reading.still[i].task);
	kfree(reading.buffer);
	kvfree(reading.still);
	return err;
}

/* The task keeps its signal_struct, also when it has ended. */
int twin_threads_read(struct twin_threads *threads)
{
	struct task_struct *leader;
	int err;

	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	leader = twin_get_task(threads->pid, PIDTYPE_TGID);
	if (!leader)
		return -ESRCH;
	err = read_all(leader, threads);
	put_task_struct(leader);
	return err;
}
