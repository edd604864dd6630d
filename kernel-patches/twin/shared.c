// SPDX-License-Identifier: GPL-2.0
/*
 * The first page of the shared region. A's broker writes its head, the other
 * kernel can write to it at any time: nothing in it is believed unchecked, and
 * what is checked is a copy.
 */
#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "twin_internal.h"

/* What @checksum covers. */
#define HEAD_SIZE 64

static_assert(offsetof(struct twin_shared, apic_id) == HEAD_SIZE);

/* CRC-32C; the kernel's own is in a module of its own up to 6.13. */
static u32 crc32c_of(const u8 *bytes, size_t length)
{
	u32 crc = ~0U;

	while (length--) {
		int bit;

		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* From the start of a twin on, what is in the region counts no more. */
static struct twin_layout kept;
static bool keep;

void twin_layout_keep(const struct twin_layout *layout)
{
	if (layout)
		kept = *layout;
	WRITE_ONCE(keep, layout);
}

/*
 * 0 and @layout filled in, or -ENXIO no region, -EINVAL not a valid header.
 * Called, like everything here, with twin.shared_lock or twin.lock held, or by
 * a kernel that panics.
 */
int twin_layout_read(struct twin_layout *layout)
{
	struct twin_shared head = {};
	u32 checksum;

	if (!twin.shared)
		return -ENXIO;
	if (READ_ONCE(keep)) {
		*layout = kept;
		return 0;
	}
	memcpy(&head, twin.shared, HEAD_SIZE);
	barrier();		/* from here on only the copy */
	checksum = head.checksum;
	head.checksum = 0;
	if (head.magic != TWIN_SHARED_MAGIC ||
	    head.version != TWIN_SHARED_VERSION ||
	    crc32c_of((u8 *)&head, HEAD_SIZE) != checksum ||
	    head.region_size != twin.shared_size ||
	    head.parking_offset < PAGE_SIZE ||
	    !PAGE_ALIGNED(head.parking_offset) ||
	    head.parking_size < TWIN_PARKING_SIZE ||
	    (u64)head.parking_offset + head.parking_size > twin.shared_size)
		return -EINVAL;
	layout->instance = head.instance;
	layout->parking_offset = head.parking_offset;
	layout->parking_size = head.parking_size;
	layout->head_size = max((u64)head.parking_offset + head.parking_size,
				(u64)head.tables_offset + head.tables_size);
	return 0;
}

/* A new region: nobody listens on either side. */
void twin_shared_reset(struct twin_shared *shared)
{
	WRITE_ONCE(shared->apic_id[TWIN_SIDE_A], TWIN_NO_APIC);
	WRITE_ONCE(shared->apic_id[TWIN_SIDE_B], TWIN_NO_APIC);
}

/* The other kernel is gone: its CPU must not be rung, its heart not awaited. */
void twin_shared_forget_other(void)
{
	WRITE_ONCE(twin.shared->apic_id[twin_other_side()], TWIN_NO_APIC);
	WRITE_ONCE(twin.shared->heartbeat[twin_other_side()], 0);
	WRITE_ONCE(twin.shared->panicked[twin_other_side()], 0);
	twin_heartbeat_forget_other();
}

/*
 * Say where this kernel wants its doorbell: the boot CPU, which never goes
 * offline. The broker writes the header after the region exists, so this is
 * done whenever the region is used.
 */
void twin_publish(void)
{
	struct twin_layout layout;
	struct twin_notes *notes;

	if (twin_layout_read(&layout))
		return;
	WRITE_ONCE(twin.shared->apic_id[twin.side], cpu_physical_id(0));
	if (twin.side != TWIN_SIDE_A)
		return;
	notes = (void *)twin.shared + layout.parking_offset + TWIN_NOTES_OFFSET;
	twin_poweroff_note(notes);
	twin_boot_cpu_note(notes, twin.shared_start + layout.parking_offset);
}

/* B: what A's module left. Only the header is mapped here all the time. */
int twin_notes_read(struct twin_notes *notes)
{
	struct twin_layout layout;
	void *page;
	int err = twin_layout_read(&layout);

	if (err)
		return err;
	page = memremap(twin.shared_start + layout.parking_offset +
			TWIN_NOTES_OFFSET, PAGE_SIZE, MEMREMAP_WB);
	if (!page)
		return -ENOMEM;
	memcpy(notes, page, sizeof(*notes));
	memunmap(page);
	return 0;
}
