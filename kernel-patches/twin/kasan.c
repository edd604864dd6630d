// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel built with KASAN keeps a byte of shadow for eight of memory, for what
 * it had at boot and for what is hot-added. For the rest of blocks of which it
 * has a part already it knows none, and would fault when their pages are freed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include "twin_internal.h"

static bool is_mapped(unsigned long shadow)
{
	unsigned int level;
	pte_t *entry = lookup_address(shadow, &level);

	return entry && pte_present(*entry);
}

/* All of it is nobody's yet, and may be used: as vmalloc() does not clear it. */
static int map_run(unsigned long from, unsigned long to, unsigned int node)
{
	void *shadow = static_call(twin_vmalloc_range)(to - from, PAGE_SIZE,
						       from, to, GFP_KERNEL,
						       PAGE_KERNEL, VM_NO_GUARD,
						       node,
						       __builtin_return_address(0));

	if (!shadow)
		return -ENOMEM;
	__memset(shadow, 0, to - from);
	return 0;
}

/*
 * Give the memory [@start, @end), which the direct map has, its shadow, where
 * it has none. It is never taken back, as the memory is not.
 */
int twin_kasan_map(u64 start, u64 end, unsigned int node)
{
	unsigned long at = (unsigned long)kasan_mem_to_shadow(__va(start));
	unsigned long stop = (unsigned long)kasan_mem_to_shadow(__va(end - 1));
	unsigned long from = 0;
	int err = 0;

	at = ALIGN_DOWN(at, PAGE_SIZE);
	stop = ALIGN_DOWN(stop, PAGE_SIZE) + PAGE_SIZE;
	for (; at <= stop && !err; at += PAGE_SIZE) {
		bool missing = at < stop && !is_mapped(at);

		if (missing && !from) {
			from = at;
		} else if (!missing && from) {
			err = map_run(from, at, node);
			from = 0;
		}
	}
	if (err)
		pr_err("no KASAN shadow for memory %#llx-%#llx: %d\n", start,
		       end - 1, err);
	return err;
}
