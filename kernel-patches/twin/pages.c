// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a process have content of their own, or are of a mapping that
 * it shares, and which of those changed since its soft-dirty bits were cleared:
 * of /proc/PID/pagemap the two bits that count, a word for 64 pages instead of
 * 64 words. Both sides of that file take longer than the gap of an upgrade has
 * time where there are many.
 */
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "twin_internal.h"

/* In one go: a page of bits each. */
#define CHUNK_PAGES ((unsigned long)PAGE_SIZE * BITS_PER_BYTE)
#define CHUNK_SIZE (CHUNK_PAGES * PAGE_SIZE)

struct scan {
	unsigned long start;
	unsigned long *own;
	unsigned long *changed;
};

static unsigned long bit_of(const struct scan *scan, unsigned long address)
{
	return PFN_DOWN(address - scan->start);
}

static void scan_huge(struct scan *scan, unsigned long address,
		      unsigned long end, bool changed)
{
	unsigned long bit = bit_of(scan, address);
	unsigned int count = bit_of(scan, end) - bit;

	bitmap_set(scan->own, bit, count);
	if (changed)
		bitmap_set(scan->changed, bit, count);
}

static int scan_entries(struct scan *scan, struct vm_area_struct *vma,
			pte_t *pte, unsigned long address, unsigned long end)
{
	unsigned long bit = bit_of(scan, address);
	bool anonymous = vma_is_anonymous(vma);
	bool all = vma->vm_flags & VM_SOFTDIRTY;
	bool shared = vma->vm_flags & VM_SHARED;

	for (; address < end; address += PAGE_SIZE, pte++, bit++) {
		pte_t entry = ptep_get(pte);

		if (pte_none(entry))
			continue;
		if (!pte_present(entry)) {
			/* On its way to another place, it may be the file's. */
			if (!anonymous)
				return -EAGAIN;
			__set_bit(bit, scan->own);
			if (all || pte_swp_soft_dirty(entry))
				__set_bit(bit, scan->changed);
			continue;
		}
		/* Zeros, given for a read and not marked as new content. */
		if (anonymous && pte_special(entry))
			continue;
		if (!anonymous && !shared && !pte_special(entry) &&
		    !PageAnon(pte_page(entry)))
			continue;
		__set_bit(bit, scan->own);
		if (all || pte_soft_dirty(entry))
			__set_bit(bit, scan->changed);
	}
	return 0;
}

static int scan_pmd(pmd_t *pmd, unsigned long address, unsigned long end,
		    struct mm_walk *walk)
{
	struct scan *scan = walk->private;
	struct vm_area_struct *vma = walk->vma;
	pmd_t value;
	int err = 0;

	/* From 6.5 on tables of files go without mmap_lock, by RCU. */
	rcu_read_lock();
	value = READ_ONCE(*pmd);
	if (pmd_none(value))
		goto out;
	if (!pmd_present(value)) {
		err = -EAGAIN;
		goto out;
	}
	if (pmd_trans_huge(value)) {
		if (PageAnon(pmd_page(value)))
			scan_huge(scan, address, end,
				  vma->vm_flags & VM_SOFTDIRTY ||
					pmd_soft_dirty(value));
		else if (vma->vm_flags & VM_SHARED)
			err = -EAGAIN;
		goto out;
	}
	if (pmd_bad(value)) {
		err = -EAGAIN;
		goto out;
	}
	spin_lock(pte_lockptr(walk->mm, &value));
	if (pmd_val(READ_ONCE(*pmd)) == pmd_val(value))
		err = scan_entries(scan, vma,
				   pte_offset_kernel(&value, address), address,
				   end);
	else
		err = -EAGAIN;
	spin_unlock(pte_lockptr(walk->mm, &value));
out:
	rcu_read_unlock();
	cond_resched();
	return err;
}

/* 1: not this area. */
static int scan_area(unsigned long start, unsigned long end,
		     struct mm_walk *walk)
{
	if (walk->vma->vm_flags & VM_HUGETLB)
		return -EOPNOTSUPP;
	return !!(walk->vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
}

static const struct mm_walk_ops scan_operations = {
	.pmd_entry = scan_pmd,
	.test_walk = scan_area,
};

static int scan_chunk(struct mm_struct *mm, struct scan *scan,
		      unsigned long pages)
{
	int err;

	memset(scan->own, 0, PAGE_SIZE);
	memset(scan->changed, 0, PAGE_SIZE);
	err = mmap_read_lock_killable(mm);
	if (err)
		return err;
	err = static_call(twin_walk_page_range)(mm, scan->start,
						scan->start + pages * PAGE_SIZE,
						&scan_operations, scan);
	mmap_read_unlock(mm);
	return err;
}

static int scan_all(struct mm_struct *mm, const struct twin_pages *pages,
		    struct scan *scan)
{
	unsigned long __user *own = u64_to_user_ptr(pages->own);
	unsigned long __user *changed = u64_to_user_ptr(pages->changed);
	unsigned long left = pages->count, count;
	size_t bytes;
	int err;

	scan->start = pages->start;
	for (; left; left -= count) {
		count = min(left, CHUNK_PAGES);
		err = scan_chunk(mm, scan, count);
		if (err)
			return err;
		bytes = BITS_TO_LONGS(count) * sizeof(long);
		if (copy_to_user(own, scan->own, bytes) ||
		    copy_to_user(changed, scan->changed, bytes))
			return -EFAULT;
		own += BITS_TO_LONGS(count);
		changed += BITS_TO_LONGS(count);
		scan->start += CHUNK_SIZE;
	}
	return 0;
}

static struct mm_struct *memory_of(u32 number)
{
	struct task_struct *task = twin_get_task(number, PIDTYPE_PID);
	struct mm_struct *mm = NULL;

	if (task) {
		mm = get_task_mm(task);
		put_task_struct(task);
	}
	return mm;
}

/* Called without twin.lock: what holds that may take long. */
int twin_pages_scan(const struct twin_pages *pages)
{
	struct mm_struct *mm;
	struct scan scan = {};
	int err = -ENOMEM;

	if (!IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_PTRACE))
		return -EPERM;
	if (!PAGE_ALIGNED(pages->start) || pages->start >= TASK_SIZE_MAX ||
	    pages->count > PFN_DOWN(TASK_SIZE_MAX - pages->start))
		return -EINVAL;
	mm = memory_of(pages->pid);
	if (!mm)
		return -ESRCH;
	scan.own = (unsigned long *)__get_free_page(GFP_KERNEL);
	scan.changed = (unsigned long *)__get_free_page(GFP_KERNEL);
	if (scan.own && scan.changed)
		err = scan_all(mm, pages, &scan);
	free_page((unsigned long)scan.changed);
	free_page((unsigned long)scan.own);
	mmput(mm);
	return err;
}
