// SPDX-License-Identifier: GPL-2.0
/*
 * The shared region. A takes it from the start of its crash region: what
 * kexec_file_load() then tells B of its memory begins behind it, so neither
 * kernel uses it for anything else and neither had to be booted for it. A parks
 * in its first pages, which are lost for good then: better at the edge of a
 * piece of memory than within. B is told by module parameters where it is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/sizes.h>

#include "twin_internal.h"

/* The least that must be left to load a kernel into. */
#define CRASH_MIN SZ_64M

static struct resource shared_resource = {
	.name = "Twinkernel shared",
	.flags = IORESOURCE_MEM | IORESOURCE_BUSY,
};

static resource_size_t crash_start, crash_size;	/* before it was carved */
static u64 carved_start, carved_size;

/*
 * The region that this kernel was started with as a twin. It outlives the
 * role: the CPU that parked there never leaves it.
 */
static struct resource attached_resource = {
	.name = "Twinkernel shared",
	.flags = IORESOURCE_MEM | IORESOURCE_BUSY,
};

static struct twin_shared *attached_header;

bool twin_kexec_trylock(void)
{
	if (twin_symbols.kexec_lock)
		return !atomic_cmpxchg_acquire(twin_symbols.kexec_lock, 0, 1);
	return mutex_trylock(twin_symbols.kexec_mutex);
}

void twin_kexec_unlock(void)
{
	if (twin_symbols.kexec_lock)
		atomic_set_release(twin_symbols.kexec_lock, 0);
	else
		mutex_unlock(twin_symbols.kexec_mutex);
}

static void use_region(struct twin_shared *shared, u64 start, u64 size, u32 side)
{
	mutex_lock(&twin.shared_lock);
	twin_layout_keep(NULL);
	twin.shared = shared;
	twin.shared_start = start;
	twin.shared_size = size;
	twin.side = side;
	mutex_unlock(&twin.shared_lock);
}

/* Forget the region unless userspace has it mapped. */
static bool leave_region(void)
{
	bool free;

	mutex_lock(&twin.shared_lock);
	free = !atomic_read(&twin.mappings);
	if (free) {
		twin.shared = NULL;
		twin.shared_start = 0;
		twin.shared_size = 0;
	}
	mutex_unlock(&twin.shared_lock);
	return free;
}

static int carve_locked(u64 bytes)
{
	struct resource *crash = twin_symbols.crashk_res;
	resource_size_t size = resource_size(crash), start, kept;
	int err;

	if (*twin_symbols.kexec_crash_image)
		return -EBUSY;
	if (!crash->parent || !crash->end)
		return -ENODEV;
	if (bytes >= size)
		return -ENOSPC;
	/* Large pages and the other kernel's memory blocks like it aligned. */
	start = ALIGN(crash->start, SZ_2M);
	kept = start + bytes;
	if (kept + CRASH_MIN > crash->end + 1)
		return -ENOSPC;
	crash_start = crash->start;
	crash_size = size;
	err = adjust_resource(crash, kept, crash_start + size - kept);
	if (err)
		return err;
	shared_resource.start = crash_start;
	shared_resource.end = kept - 1;
	err = insert_resource(&iomem_resource, &shared_resource);
	if (err)
		adjust_resource(crash, crash_start, size);
	return err;
}

static int give_back_locked(void)
{
	struct resource *crash = twin_symbols.crashk_res;
	int err;

	if (*twin_symbols.kexec_crash_image)
		return -EBUSY;
	err = remove_resource(&shared_resource);
	if (err)
		return err;
	return adjust_resource(crash, crash_start, crash_size);
}

static int give_back(void)
{
	int err;

	if (twin_state() == TWIN_STATE_IDLE)
		return 0;
	if (!leave_region())
		return -EBUSY;
	err = -EBUSY;
	if (twin_kexec_trylock()) {
		err = give_back_locked();
		twin_kexec_unlock();
	}
	if (err) {
		use_region(phys_to_virt(carved_start), carved_start,
			   carved_size, TWIN_SIDE_A);
		return err;
	}
	atomic_set(&twin.state, TWIN_STATE_IDLE);
	module_put(THIS_MODULE);
	return 0;
}

/*
 * Take @bytes from the start of the crash region, or give them back if 0.
 * Called with twin.lock held.
 */
int twin_carve(u64 bytes, u64 *start)
{
	u32 state = twin_state();
	void *region;
	int err;

	if (twin.role != TWIN_ROLE_PRIMARY)
		return -EOPNOTSUPP;
	if (!IS_ALIGNED(bytes, SZ_2M))
		return -EINVAL;
	if (state != TWIN_STATE_IDLE && state != TWIN_STATE_CARVED)
		return -EBUSY;
	*start = 0;
	if (!bytes)
		return give_back();
	if (state == TWIN_STATE_CARVED)
		return -EBUSY;
	if (!twin_kexec_trylock())
		return -EBUSY;
	err = carve_locked(bytes);
	twin_kexec_unlock();
	if (err)
		return err;

	/* The crash region is RAM that nobody else uses: nothing stale in it. */
	carved_start = ALIGN(shared_resource.start, SZ_2M);
	carved_size = bytes;
	region = phys_to_virt(carved_start);
	memset(region, 0, bytes);
	twin_shared_reset(region);
	use_region(region, carved_start, bytes, TWIN_SIDE_A);
	__module_get(THIS_MODULE);
	atomic_set(&twin.state, TWIN_STATE_CARVED);
	*start = twin.shared_start;
	return 0;
}

/*
 * The kernel keeps PCI away from what follows its memory by a resource that it
 * calls a RAM buffer. Here it is known what follows; let go of those that touch
 * [@start, @end). Whoever calls this puts a resource of their own there.
 */
void twin_release_ram_buffer(u64 start, u64 end)
{
	struct resource *res = iomem_resource.child, *next;

	for (; res; res = next) {
		next = res->sibling;
		if (res->start < end && res->end >= start &&
		    !strcmp(res->name, "RAM buffer"))
			release_resource(res);	/* and never freed: it may be bootmem */
	}
}

/* B: use the region that A's broker has described. */
int twin_attach(u64 start, u64 size)
{
	struct twin_layout layout;
	struct twin_shared *header;
	int err;

	if (!size || !IS_ALIGNED(start, SZ_2M) || !IS_ALIGNED(size, SZ_2M) ||
	    start + size < start) {
		pr_err("shared_start=%#llx shared_size=%#llx: not a range of whole 2 MiB\n",
		       start, size);
		return -EINVAL;
	}
	if (region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("the shared region at %#llx is in this kernel's own memory\n",
		       start);
		return -EINVAL;
	}
	twin_release_ram_buffer(start, start + size);
	attached_resource.start = start;
	attached_resource.end = start + size - 1;
	err = insert_resource(&iomem_resource, &attached_resource);
	if (err) {
		pr_err("the shared region at %#llx is in use\n", start);
		return err;
	}
	header = memremap(start, PAGE_SIZE, MEMREMAP_WB);
	if (!header) {
		remove_resource(&attached_resource);
		return -ENOMEM;
	}
	attached_header = header;
	use_region(header, start, size, TWIN_SIDE_B);
	err = twin_layout_read(&layout);
	if (err) {
		pr_err("the shared region at %#llx has no valid header of version %d\n",
		       start, TWIN_SHARED_VERSION);
		twin_attach_undo();
		return err;
	}
	twin_layout_keep(&layout);
	return 0;
}

/* Only for a module that is not going to be used, or was: the region stays. */
void twin_attach_undo(void)
{
	if (!attached_resource.parent)
		return;
	if (twin.shared == attached_header)
		use_region(NULL, 0, 0, TWIN_SIDE_A);
	memunmap(attached_header);
	remove_resource(&attached_resource);
}

/*
 * B, once the other kernel has parked: leave the region. Its head is kept out
 * of everyone's way for good: ACPICA goes on reading this kernel's tables, and
 * the CPU that parked never leaves. What follows is memory that can be added.
 */
int twin_retire(void)
{
	u64 start = attached_resource.start, size = twin.shared_size, head;
	u32 apic_id = READ_ONCE(twin.shared->apic_id[TWIN_SIDE_A]);
	struct twin_layout layout;
	int err;

	err = twin_layout_read(&layout);
	if (err)
		return err;
	head = min(ALIGN(layout.head_size, SZ_2M), size);
	if (!leave_region())
		return -EBUSY;
	err = adjust_resource(&attached_resource, start, head);
	if (err) {
		use_region(attached_header, start, size, TWIN_SIDE_B);
		twin_layout_keep(&layout);
		return err;
	}
	/* Any other CPU is started anew, and then nobody is in there. */
	attached_resource.name = apic_id == twin_boot_apic_id() ?
				 "Twinkernel parked" : "Twinkernel tables";
	twin.other_stopped = false;
	return 0;
}

/*
 * A promoted twin has no crash region: crashkernel= is looked at when a kernel
 * boots, and then it had just enough memory for itself. Called with twin.lock
 * held.
 */
int twin_crash_region(u64 start, u64 size)
{
	struct resource *crash = twin_symbols.crashk_res, *ram;
	int err;

	if (!twin.was_secondary || twin.role != TWIN_ROLE_PRIMARY)
		return -EOPNOTSUPP;
	if (!size || !IS_ALIGNED(start, SZ_2M) || !IS_ALIGNED(size, SZ_2M) ||
	    start + size < start || start + size > 1ULL << boot_cpu_data.x86_phys_bits)
		return -EINVAL;
	if (crash->parent || crash->end)
		return -EEXIST;
	/* Without kexec's lock: the kernel takes it itself when memory comes. */
	err = twin_memory_map(start, size, &ram);
	if (err)
		return err;
	/* Nobody looks at an empty crash region, and none else makes one. */
	crash->start = start;
	crash->end = start + size - 1;
	return request_resource(ram, crash);
}
