// SPDX-License-Identifier: GPL-2.0
/*
 * The shared region. A takes it from the end of its crash region: what
 * kexec_file_load() then tells B of its memory ends before it, so neither
 * kernel uses it for anything else and neither had to be booted for it.
 * B is told by module parameters where it is.
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

static resource_size_t crash_size;	/* before it was carved */
static u64 carved_size;

/*
 * The region that this kernel was started with as a twin. It outlives the
 * role: the CPU that parked there never leaves it.
 */
static struct resource attached_resource = {
	.name = "Twinkernel shared",
	.flags = IORESOURCE_MEM | IORESOURCE_BUSY,
};

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
	start = ALIGN_DOWN(crash->end + 1 - bytes, SZ_2M);
	if (start < crash->start + CRASH_MIN)
		return -ENOSPC;
	kept = start - crash->start;
	err = adjust_resource(crash, crash->start, kept);
	if (err)
		return err;
	shared_resource.start = start;
	shared_resource.end = crash->start + size - 1;
	err = insert_resource(&iomem_resource, &shared_resource);
	if (err) {
		adjust_resource(crash, crash->start, size);
		return err;
	}
	crash_size = size;
	return 0;
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
	return adjust_resource(crash, crash->start, crash_size);
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
		use_region(phys_to_virt(shared_resource.start),
			   shared_resource.start, carved_size, TWIN_SIDE_A);
		return err;
	}
	atomic_set(&twin.state, TWIN_STATE_IDLE);
	module_put(THIS_MODULE);
	return 0;
}

/*
 * Take @bytes from the end of the crash region, or give them back if 0.
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
	region = phys_to_virt(shared_resource.start);
	memset(region, 0, bytes);
	carved_size = bytes;
	twin_shared_reset(region);
	use_region(region, shared_resource.start, bytes, TWIN_SIDE_A);
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
	use_region(header, start, size, TWIN_SIDE_B);
	err = twin_layout_read(&layout);
	if (err) {
		pr_err("the shared region at %#llx has no valid header of version %d\n",
		       start, TWIN_SHARED_VERSION);
		twin_attach_undo();
	}
	return err;
}

/* Only for a module that is not going to be used, or was: the region stays. */
void twin_attach_undo(void)
{
	struct twin_shared *header = twin.shared;

	if (!attached_resource.parent)
		return;
	use_region(NULL, 0, 0, TWIN_SIDE_A);
	memunmap(header);
	remove_resource(&attached_resource);
}
