// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/twin: what userspace asks for, checked and handed to the part that does
 * it. The interface is described in twin.h.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apic.h>
#include <asm/tsc.h>

#include "twin_internal.h"

/* One open of /dev/twin. */
struct twin_file {
	struct mutex lock;	/* makes one read() see each ring once */
	u64 seen;		/* doorbell count at the last read() */
};

/* Whoever may start another kernel by kexec may do so here. */
static int twin_permitted(void)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	return security_locked_down(LOCKDOWN_KEXEC);
}

/*
 * Structures start with their size. A shorter or longer one than this kernel's
 * is taken as far as both know it; what this kernel does not know must be zero.
 */
static int get_struct(void *to, size_t ksize, const void __user *from, u32 *usize)
{
	if (get_user(*usize, (const u32 __user *)from))
		return -EFAULT;
	if (*usize < ksize || *usize > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(to, ksize, from, *usize);
}

static int put_struct(void __user *to, const void *from, size_t ksize)
{
	return copy_to_user(to, from, ksize) ? -EFAULT : 0;
}

static int info_ioctl(void __user *argument)
{
	const struct resource *crash = twin_symbols.crashk_res;
	struct twin_info info;
	u32 usize;
	int err = get_struct(&info, sizeof(info), argument, &usize);

	if (err)
		return err;
	memset(&info, 0, sizeof(info));
	info.size = usize;
	info.abi = TWIN_ABI_VERSION;
	info.role = twin.role;
	info.state = twin_state();
	if (crash->end) {
		info.crash.start = crash->start;
		info.crash.size = resource_size(crash);
	}
	mutex_lock(&twin.shared_lock);
	info.shared.start = twin.shared_start;
	info.shared.size = twin.shared_size;
	mutex_unlock(&twin.shared_lock);
	if (*twin_symbols.real_mode_header) {
		info.trampoline.start =
			virt_to_phys(*twin_symbols.real_mode_header);
		info.trampoline.size = twin_symbols.real_mode_size;
	}
	info.ecam = twin_pci_ecam();
	info.tsc_khz = tsc_khz;
	info.boot_apic_id = twin_boot_apic_id();
	info.twin_cpu = twin.cpu < nr_cpu_ids ? twin.cpu : ~0U;
	return put_struct(argument, &info, sizeof(info));
}

static int carve_ioctl(void __user *argument)
{
	struct twin_carve carve;
	u32 usize;
	int err = get_struct(&carve, sizeof(carve), argument, &usize);

	if (!err && carve.reserved)
		err = -EINVAL;
	if (!err)
		err = twin_carve(carve.bytes, &carve.start);
	return err ?: put_struct(argument, &carve, sizeof(carve));
}

static int arm_ioctl(const void __user *argument)
{
	struct twin_cpu cpu;
	u32 usize;

	return get_struct(&cpu, sizeof(cpu), argument, &usize) ?:
	       twin_arm(cpu.cpu);
}

static int adopt_ioctl(const void __user *argument)
{
	struct twin_table table;
	u32 usize;

	return get_struct(&table, sizeof(table), argument, &usize) ?:
	       twin_pci_adopt(u64_to_user_ptr(table.address), table.length);
}

static int function_ioctl(const void __user *argument, int (*act)(u32 address))
{
	struct twin_function function;
	u32 usize;

	return get_struct(&function, sizeof(function), argument, &usize) ?:
	       act(function.address);
}

static int prepare_ioctl(const void __user *argument)
{
	struct twin_prepare prepare;
	u32 usize;

	return get_struct(&prepare, sizeof(prepare), argument, &usize) ?:
	       twin_pci_prepare(&prepare);
}

static int pages_ioctl(const void __user *argument)
{
	struct twin_pages pages;
	u32 usize;

	return get_struct(&pages, sizeof(pages), argument, &usize) ?:
	       twin_pages_scan(&pages);
}

static int timers_ioctl(void __user *argument)
{
	struct twin_timers timers;
	u32 usize;
	int err = get_struct(&timers, sizeof(timers), argument, &usize);

	if (!err && timers.reserved)
		err = -EINVAL;
	if (!err)
		err = twin_timers_read(&timers);
	return err ?: put_struct(argument, &timers, sizeof(timers));
}

static int threads_ioctl(void __user *argument)
{
	struct twin_threads threads;
	u32 usize;
	int told, err = get_struct(&threads, sizeof(threads), argument, &usize);

	if (!err && threads.reserved)
		err = -EINVAL;
	if (err)
		return err;
	err = twin_threads_read(&threads);
	/* Also where the sizes are others. */
	told = put_struct(argument, &threads, sizeof(threads));
	return err ?: told;
}

static int files_ioctl(const void __user *argument)
{
	struct twin_files files;
	u32 usize;

	int err = get_struct(&files, sizeof(files), argument, &usize);

	if (!err && files.reserved)
		err = -EINVAL;
	return err ?: twin_files_exchange(&files);
}

static int port_ioctl(const void __user *argument)
{
	struct twin_port port;
	u32 usize;
	int err = get_struct(&port, sizeof(port), argument, &usize);

	if (!err && port.reserved)
		err = -EINVAL;
	return err ?: twin_port_set(port.interface, port.mode);
}

static int take_frames_ioctl(void __user *argument)
{
	struct twin_frames frames;
	u32 usize;
	int err = get_struct(&frames, sizeof(frames), argument, &usize);

	if (!err)
		err = twin_port_take(frames.interface,
				     u64_to_user_ptr(frames.address),
				     frames.length, &frames.length);
	return err ?: put_struct(argument, &frames, sizeof(frames));
}

static int give_frames_ioctl(const void __user *argument)
{
	struct twin_frames frames;
	u32 usize;

	return get_struct(&frames, sizeof(frames), argument, &usize) ?:
	       twin_port_give(frames.interface, u64_to_user_ptr(frames.address),
			      frames.length);
}

/* What is a process's has nothing to do with the rest; -ENOTTY: none of it. */
static int process_ioctl(unsigned int number, void __user *argument)
{
	switch (number) {
	case _IOC_NR(TWIN_IOC_PAGES):
		return pages_ioctl(argument);
	case _IOC_NR(TWIN_IOC_TIMERS):
		return timers_ioctl(argument);
	case _IOC_NR(TWIN_IOC_THREADS):
		return threads_ioctl(argument);
	case _IOC_NR(TWIN_IOC_EXCHANGE_FILES):
		return files_ioctl(argument);
	default:
		return -ENOTTY;
	}
}

/* What waits, or has nothing to do with the rest; -ENOTTY: none of it. */
static int network_ioctl(unsigned int number, void __user *argument)
{
	int permitted = capable(CAP_NET_ADMIN) ? 0 : -EPERM;

	switch (number) {
	case _IOC_NR(TWIN_IOC_SET_PORT):
		return permitted ?: port_ioctl(argument);
	case _IOC_NR(TWIN_IOC_TAKE_FRAMES):
		return permitted ?: take_frames_ioctl(argument);
	case _IOC_NR(TWIN_IOC_GIVE_FRAMES):
		return permitted ?: give_frames_ioctl(argument);
	default:
		return -ENOTTY;
	}
}

static int memory_ioctl(void __user *argument)
{
	struct twin_memory memory;
	u32 usize;
	int err = get_struct(&memory, sizeof(memory), argument, &usize);

	if (!err)
		err = twin_memory_add(memory.node, memory.range.start,
				      memory.range.size, &memory.added);
	return err ?: put_struct(argument, &memory, sizeof(memory));
}

static int crash_region_ioctl(const void __user *argument)
{
	struct twin_memory memory;
	u32 usize;

	return get_struct(&memory, sizeof(memory), argument, &usize) ?:
	       twin_crash_region(memory.range.start, memory.range.size);
}

static int promote_ioctl(void)
{
	int err;

	if (twin.role != TWIN_ROLE_SECONDARY)
		return -EOPNOTSUPP;
	if (READ_ONCE(twin.shared->parked) != 1)
		return -EBUSY;
	if (twin_other_panicked())
		twin_pci_silence();
	/* First: from here on nobody looks into the region for @parked. */
	twin.role = TWIN_ROLE_PRIMARY;
	err = twin_retire();
	if (err) {
		twin.role = TWIN_ROLE_SECONDARY;
		return err;
	}
	atomic_set(&twin.state, TWIN_STATE_IDLE);
	twin_broadcast_allow(0);
	return 0;
}

static int doorbell_ioctl(void)
{
	int err;

	mutex_lock(&twin.shared_lock);
	twin_publish();
	err = twin_doorbell();
	mutex_unlock(&twin.shared_lock);
	return err;
}

static long twin_ioctl(struct file *file, unsigned int command,
		       unsigned long address)
{
	void __user *argument = (void __user *)address;
	int err = twin_permitted();

	if (_IOC_TYPE(command) != TWIN_IOC_MAGIC)
		return -ENOTTY;
	/* By number: the size of a structure may grow. */
	if (_IOC_NR(command) == _IOC_NR(TWIN_IOC_INFO))
		return info_ioctl(argument);
	if (err)
		return err;
	if (_IOC_NR(command) == _IOC_NR(TWIN_IOC_DOORBELL))
		return doorbell_ioctl();
	err = process_ioctl(_IOC_NR(command), argument);
	if (err != -ENOTTY)
		return err;
	err = network_ioctl(_IOC_NR(command), argument);
	if (err != -ENOTTY)
		return err;
	err = mutex_lock_interruptible(&twin.lock);
	if (err)
		return err;
	switch (_IOC_NR(command)) {
	case _IOC_NR(TWIN_IOC_CARVE):
		err = carve_ioctl(argument);
		break;
	case _IOC_NR(TWIN_IOC_ARM):
		err = arm_ioctl(argument);
		break;
	case _IOC_NR(TWIN_IOC_DISARM):
		err = twin_disarm();
		break;
	case _IOC_NR(TWIN_IOC_PARK):
		err = twin_park();
		break;
	case _IOC_NR(TWIN_IOC_ADOPT_PCI):
		err = adopt_ioctl(argument);
		break;
	case _IOC_NR(TWIN_IOC_ADD_MEMORY):
		err = memory_ioctl(argument);
		break;
	case _IOC_NR(TWIN_IOC_PROMOTE):
		err = promote_ioctl();
		break;
	case _IOC_NR(TWIN_IOC_CRASH_REGION):
		err = crash_region_ioctl(argument);
		break;
	case _IOC_NR(TWIN_IOC_SUSPEND_PCI):
		err = function_ioctl(argument, twin_pci_suspend);
		break;
	case _IOC_NR(TWIN_IOC_FREEZE_PCI):
		err = function_ioctl(argument, twin_pci_freeze);
		break;
	case _IOC_NR(TWIN_IOC_RESUME_PCI):
		err = function_ioctl(argument, twin_pci_resume);
		break;
	case _IOC_NR(TWIN_IOC_PREPARE_PCI):
		err = prepare_ioctl(argument);
		break;
	default:
		err = -ENOTTY;
	}
	mutex_unlock(&twin.lock);
	return err;
}

static int twin_open(struct inode *inode, struct file *file)
{
	struct twin_file *state;

	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	mutex_init(&state->lock);
	mutex_lock(&twin.shared_lock);
	twin_publish();
	mutex_unlock(&twin.shared_lock);
	state->seen = twin_doorbell_count();
	file->private_data = state;
	return stream_open(inode, file);
}

static int twin_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/*
 * How often the doorbell was rung since this file last told. The count starts
 * again with a new region.
 */
static u64 take_rings(struct twin_file *state)
{
	u64 count, rings;

	mutex_lock(&state->lock);
	count = twin_doorbell_count();
	rings = count < state->seen ? count : count - state->seen;
	state->seen = count;
	mutex_unlock(&state->lock);
	return rings;
}

static ssize_t twin_read(struct file *file, char __user *buffer, size_t length,
			 loff_t *offset)
{
	struct twin_file *state = file->private_data;
	u64 rings;
	int err;

	if (length < sizeof(rings))
		return -EINVAL;
	while (!(rings = take_rings(state))) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(twin.wait,
					       twin_doorbell_count() !=
					       READ_ONCE(state->seen));
		if (err)
			return err;
	}
	return copy_to_user(buffer, &rings, sizeof(rings)) ? -EFAULT :
							     sizeof(rings);
}

static __poll_t twin_poll(struct file *file, poll_table *table)
{
	struct twin_file *state = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &twin.wait, table);
	if (twin_doorbell_count() != READ_ONCE(state->seen))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(twin.other_stopped))
		events |= EPOLLHUP;
	return events;
}

static void mapping_opened(struct vm_area_struct *vma)
{
	atomic_inc(&twin.mappings);
}

static void mapping_closed(struct vm_area_struct *vma)
{
	atomic_dec(&twin.mappings);
}

static const struct vm_operations_struct twin_mapping = {
	.open = mapping_opened,
	.close = mapping_closed,
};

static int twin_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 length = vma->vm_end - vma->vm_start;
	int err = twin_permitted();

	if (err)
		return err;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* Not twin.lock: it is held while userspace memory is accessed. */
	mutex_lock(&twin.shared_lock);
	if (!twin.shared_size)
		err = -ENXIO;
	else if (offset >= twin.shared_size || length > twin.shared_size - offset)
		err = -EINVAL;
	else
		err = remap_pfn_range(vma, vma->vm_start,
				      PFN_DOWN(twin.shared_start + offset),
				      length, vma->vm_page_prot);
	if (!err) {
		vma->vm_ops = &twin_mapping;
		mapping_opened(vma);
		vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
		twin_publish();
	}
	mutex_unlock(&twin.shared_lock);
	return err;
}

static const struct file_operations twin_operations = {
	.owner = THIS_MODULE,
	.open = twin_open,
	.release = twin_release,
	.read = twin_read,
	.poll = twin_poll,
	.mmap = twin_mmap,
	.unlocked_ioctl = twin_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

struct miscdevice twin_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "twin",
	.fops = &twin_operations,
	.mode = 0600,
};
