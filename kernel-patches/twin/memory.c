// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the other kernel let go becomes this one's. Hotplug wants whole
 * memory blocks (128 MiB), memory maps do not come in them:
 *
 *  - blocks this kernel knows nothing of are hot-added whole, and only those of
 *    their pages that are in the range are put online;
 *  - in blocks of which this kernel has a part already, the rest has page
 *    structures, reserved since boot: those pages are mapped and freed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "twin_internal.h"

/* What is being added, for the callback that puts pages online. */
static struct {
	unsigned long start_pfn, end_pfn;	/* empty: only to be mapped */
	unsigned long pages;			/* put online so far */
} request;

/* Called for the pages of hot-added blocks, in aligned chunks. */
static void online_requested(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order);
	unsigned long from = max(pfn, request.start_pfn);
	unsigned long to = min(end, request.end_pfn);

	if (from >= to)
		return;
	request.pages += to - from;
	if (from == pfn && to == end) {
		generic_online_page(page, order);
		return;
	}
	for (pfn = from; pfn < to; pfn++)
		generic_online_page(pfn_to_page(pfn), 0);
}

static int online_block(struct memory_block *block, void *arg)
{
	int err = static_call(twin_device_online)(&block->dev);

	return err < 0 ? err : 0;	/* 1: it is online already */
}

/* Whole blocks, none of them known so far. */
static int add_blocks(unsigned int node, u64 start, u64 end)
{
	/* Not in the resource tree: the pages asked for are there already. */
	struct resource blocks = {
		.name = "System RAM",
		.start = start,
		.end = end - 1,
		.flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
	};
	int err = static_call(twin_add_memory_resource)(node, &blocks, MHP_NONE);

	if (err)
		return err;
	return static_call(twin_walk_memory_blocks)(start, end - start, NULL,
						    online_block);
}

/* The kernel's idea of where memory ends, as its own hotplug keeps it. */
static void update_end_of_memory(u64 end)
{
	unsigned long end_pfn = PFN_UP(end);

	if (end_pfn <= *twin_symbols.max_pfn)
		return;
	*twin_symbols.max_pfn = end_pfn;
	*twin_symbols.max_low_pfn = end_pfn;
	high_memory = (void *)__va(end_pfn * PAGE_SIZE - 1) + 1;
}

/* Let @zone's span cover [@start_pfn, @end_pfn) as well. */
static void extend_zone(struct zone *zone, unsigned long start_pfn,
			unsigned long end_pfn)
{
	struct pglist_data *pgdat = zone->zone_pgdat;
	unsigned long flags, end;

	pgdat_resize_lock(pgdat, &flags);
	zone_span_writelock(zone);
	end = max(zone_end_pfn(zone), end_pfn);
	zone->zone_start_pfn = min(zone->zone_start_pfn, start_pfn);
	zone->spanned_pages = end - zone->zone_start_pfn;
	zone_span_writeunlock(zone);
	end = max(pgdat_end_pfn(pgdat), end_pfn);
	pgdat->node_start_pfn = min(pgdat->node_start_pfn, start_pfn);
	pgdat->node_spanned_pages = end - pgdat->node_start_pfn;
	pgdat_resize_unlock(pgdat, &flags);
}

/* The populated zone of the page's node that spans it, or NULL. */
static struct zone *zone_spanning(struct page *page, unsigned long pfn)
{
	struct zone *zones = NODE_DATA(page_to_nid(page))->node_zones;
	int i;

	if (zone_spans_pfn(page_zone(page), pfn))
		return page_zone(page);
	for (i = 0; i < MAX_NR_ZONES; i++)
		if (populated_zone(zones + i) && zone_spans_pfn(zones + i, pfn))
			return zones + i;
	return NULL;
}

/* Reserved since boot because there was no memory here, and nobody's. */
static bool is_hole(struct page *page)
{
	return twin_page_flags(page) != -1UL && page_count(page) == 1 &&
	       (PageReserved(page) || PageOffline(page)) &&
	       node_online(page_to_nid(page));
}

static bool free_hole(unsigned long pfn, unsigned long section_end_pfn,
		      bool present)
{
	struct page *page = pfn_to_page(pfn);
	struct zone *zone;

	if (!is_hole(page))
		return false;
	zone = zone_spanning(page, pfn);
	if (!zone) {
		/*
		 * Behind the end of the last zone, to which the rest of the
		 * section was linked at boot.
		 */
		zone = page_zone(page);
		if (!populated_zone(zone) || pfn < zone_end_pfn(zone))
			return false;
		extend_zone(zone, pfn, section_end_pfn);
	}
	if (zone != page_zone(page))
		set_page_zone(page, zone_idx(zone));
	if (PageOffline(page))
		__ClearPageOffline(page);
	free_reserved_page(page);
	if (!present) {
		zone->present_pages++;
		zone->zone_pgdat->node_present_pages++;
	}
	return true;
}

/* A part of one section that this kernel has another part of already. */
static void fill_section(unsigned long pfn, unsigned long end_pfn)
{
	struct mem_section *section = __pfn_to_section(pfn);
	unsigned long section_end_pfn = ALIGN(end_pfn, PAGES_PER_SECTION);
	/* Hot-added ones are counted as present as a whole. */
	bool present = !early_section(section);

	if (!online_section(section))
		return;
	/* Page structures are there for all of it; say so for these pages too. */
	bitmap_set(section->usage->subsection_map, subsection_map_index(pfn),
		   subsection_map_index(end_pfn - 1) -
			subsection_map_index(pfn) + 1);
	for (; pfn < end_pfn; pfn++) {
		if (free_hole(pfn, section_end_pfn, present))
			request.pages++;
		if (!(pfn % 4096))
			cond_resched();
	}
}

/*
 * Into the kernel's direct map. What a large page maps already is left alone:
 * init_memory_mapping() would replace it by small ones for this range only.
 */
static void map_directly(u64 start, u64 end)
{
	u64 from, to;

	for (from = start; from < end; from = to) {
		unsigned int level = PG_LEVEL_4K;
		pte_t *entry = lookup_address((unsigned long)__va(from), &level);

		to = min(ALIGN_DOWN(from, PMD_SIZE) + PMD_SIZE, end);
		if (!entry || level == PG_LEVEL_4K)
			static_call(twin_init_memory_mapping)(from, to,
							      PAGE_KERNEL);
	}
	update_end_of_memory(end);
}

static int fill_block(unsigned int node, u64 start, u64 end)
{
	unsigned long pfn, next, end_pfn = PFN_DOWN(end);
	int err;

	map_directly(start, end);
	err = twin_kasan_map(start, end, node);
	if (err || request.start_pfn >= request.end_pfn)
		return err;
	for (pfn = PFN_DOWN(start); pfn < end_pfn; pfn = next) {
		next = min(ALIGN(pfn + 1, PAGES_PER_SECTION), end_pfn);
		fill_section(pfn, next);
	}
	return 0;
}

static int take_range(unsigned int node, u64 start, u64 end)
{
	u64 block = memory_block_size_bytes(), from, to;
	int err;

	for (from = start; from < end; from = to) {
		to = min(ALIGN_DOWN(from, block) + block, end);
		if (pfn_valid(PFN_DOWN(from))) {
			err = fill_block(node, from, to);
			if (err)
				return err;
			continue;
		}
		while (to < end && !pfn_valid(PFN_DOWN(to)))
			to = min(to + block, end);
		err = add_blocks(node, ALIGN_DOWN(from, block),
				 ALIGN(to, block));
		if (err)
			return err;
	}
	return 0;
}

static struct resource *claim(u64 start, u64 end)
{
	struct resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return ERR_PTR(-ENOMEM);
	res->name = "System RAM";
	res->start = start;
	res->end = end - 1;
	res->flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY;
	twin_release_ram_buffer(start, end);
	if (request_resource(&iomem_resource, res)) {
		kfree(res);
		return ERR_PTR(-EEXIST);
	}
	return res;
}

static void unclaim(struct resource *res)
{
	release_resource(res);
	kfree(res);
}

/* Take [@start, @end), of which the pages of the request are put online. */
static int take(unsigned int node, u64 start, u64 end)
{
	int err;

	request.pages = 0;
	err = set_online_page_callback(online_requested);
	if (err)
		return -EBUSY;		/* a balloon driver has it */
	static_call(twin_lock_device_hotplug)();
	err = take_range(node, start, end);
	static_call(twin_unlock_device_hotplug)();
	restore_online_page_callback(online_requested);
	if (err)
		pr_err("memory %#llx-%#llx: %d after %lu pages\n", start, end - 1,
		       err, request.pages);
	return err;
}

/*
 * 0 if at least a part was taken: @added tells how much. Called with twin.lock
 * held.
 */
int twin_memory_add(unsigned int node, u64 start, u64 size, u64 *added)
{
	u64 end = start + size;
	struct resource *res;
	int err;

	if (!twin.was_secondary)
		return -EOPNOTSUPP;
	if (end < start || end > 1ULL << boot_cpu_data.x86_phys_bits ||
	    node >= MAX_NUMNODES || !node_online(node))
		return -EINVAL;
	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start >= end)
		return -EINVAL;
	res = claim(start, end);
	if (IS_ERR(res))
		return PTR_ERR(res);
	request.start_pfn = PFN_DOWN(start);
	request.end_pfn = PFN_DOWN(end);
	err = take(node, start, end);
	*added = (u64)request.pages << PAGE_SHIFT;
	if (request.pages)
		return 0;
	unclaim(res);
	return err ?: -EEXIST;
}

/*
 * Give [@start, @start + @size) page structures and a place in the direct map,
 * on node 0, and put none of its pages online. @claimed is what stands for it
 * in the resource tree from then on. Called with twin.lock held.
 */
int twin_memory_map(u64 start, u64 size, struct resource **claimed)
{
	struct resource *res = claim(start, start + size);
	int err;

	if (IS_ERR(res))
		return PTR_ERR(res);
	request.start_pfn = 0;
	request.end_pfn = 0;
	err = take(0, start, start + size);
	if (err)
		unclaim(res);
	else
		*claimed = res;
	return err;
}
