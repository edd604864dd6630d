// SPDX-License-Identifier: GPL-2.0
/*
 * Gives a process that its caller traces other files for some of its
 * descriptors: what it would do itself by dup2(2), a dozen stops for each.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "twin_internal.h"

/* It stands still, and the calling thread is who traces it. */
static bool is_held(struct task_struct *task)
{
	return task_is_traced(task) &&
	       rcu_access_pointer(task->parent) == current;
}

/* The reference to @file is the table's if there is one to give back. */
static int replace(struct files_struct *files, unsigned int number,
		   struct file *file, struct file **old)
{
	struct fdtable *table;

	/* It is held with interrupts on elsewhere, and signals come by them. */
	if (!spin_trylock(&files->file_lock))
		return -EAGAIN;
	table = files_fdtable(files);
	if (number < table->max_fds)
		*old = rcu_dereference_protected(table->fd[number],
						 lockdep_is_held(&files->file_lock));
	if (*old)
		rcu_assign_pointer(table->fd[number], file);
	spin_unlock(&files->file_lock);
	return *old ? 0 : -EBADF;
}

/*
 * A task that stands still has no file in use without a reference of its own
 * (fdget()). The caller is the only one who lets it go on, but for a SIGKILL,
 * and that comes by the lock.
 */
static int try_exchange(struct task_struct *task, unsigned int number,
			struct file *file, struct file **old)
{
	struct sighand_struct *sighand;
	int err = -ESRCH;

	rcu_read_lock();
	sighand = rcu_dereference(task->sighand);
	if (sighand) {
		spin_lock_irq(&sighand->siglock);
		/* As lock_task_sighand(): it may be another task's by now. */
		if (sighand != rcu_access_pointer(task->sighand))
			err = -EAGAIN;
		else if (is_held(task) && task->files)
			err = replace(task->files, number, file, old);
		spin_unlock_irq(&sighand->siglock);
	}
	rcu_read_unlock();
	return err;
}

static int exchange(struct task_struct *task, unsigned int number,
		    struct file *file)
{
	struct files_struct *files = READ_ONCE(task->files);
	struct file *old = NULL;
	int err;

	get_file(file);
	do {
		err = try_exchange(task, number, file, &old);
		cond_resched();
	} while (err == -EAGAIN);
	if (old)
		/* As its own dup2(2) would: @files only names the owner. */
		filp_close(old, files);
	else
		fput(file);
	return err;
}

static int exchange_all(struct task_struct *task, const struct twin_files *files)
{
	const struct twin_open __user *from = u64_to_user_ptr(files->open);
	struct twin_open open;
	struct file *file;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < files->count; i++) {
		if (copy_from_user(&open, from + i, sizeof(open)))
			return -EFAULT;
		file = fget(open.file);
		if (!file)
			return -EBADF;
		err = exchange(task, open.descriptor, file);
		fput(file);
	}
	return err;
}

int twin_files_exchange(const struct twin_files *files)
{
	struct task_struct *task;
	int err;

	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	task = twin_get_task(files->pid, PIDTYPE_TGID);
	if (!task)
		return -ESRCH;
	err = is_held(task) ? exchange_all(task, files) : -ESRCH;
	put_task_struct(task);
	return err;
}
