// SPDX-License-Identifier: GPL-2.0
/*
 * Pointers of the kernel's that the module sets. Kernels have come to make them
 * read-only after their init (the platform's interrupt callback by 7.2), so all
 * are set through mappings of our own, made when the module is loaded: setting
 * one cannot fail.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "twin_internal.h"

static void *mappings[12];	/* more than the module asks for */
static unsigned int mapped;

/* The pointer at @address of the kernel's image in a writable place, or NULL. */
void *twin_writable(void *address)
{
	struct page *page;
	void *mapping;

	if (!address || mapped == ARRAY_SIZE(mappings))
		return NULL;
	page = virt_to_page(address);
	mapping = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	if (!mapping)
		return NULL;
	mappings[mapped++] = mapping;
	return mapping + offset_in_page(address);
}

void twin_writable_end(void)
{
	while (mapped)
		vunmap(mappings[--mapped]);
}
