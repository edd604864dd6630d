/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between the kernels the module is built for,
 * 5.10 to 7.2. The other files know no kernel version.
 */
#ifndef _TWIN_COMPAT_H
#define _TWIN_COMPAT_H

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <asm/msr.h>

/* What apic->wakeup_secondary_cpu is called with. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define TWIN_WAKE_ARGUMENTS u32 apic_id, unsigned long start, unsigned int cpu
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define TWIN_WAKE_ARGUMENTS u32 apic_id, unsigned long start
#else
#define TWIN_WAKE_ARGUMENTS int apic_id, unsigned long start
#endif
typedef int (*twin_wake_fn)(TWIN_WAKE_ARGUMENTS);

/* In linux/kernel.h before. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic_notifier.h>
#else
#include <linux/kernel.h>
#endif

/* How a dying CPU tells the one that takes it down. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define TWIN_REPORT_DEAD "cpuhp_ap_report_dead"
#else
#define TWIN_REPORT_DEAD "cpu_report_death"
#endif

/* Allocations are told apart by who asks for them since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define TWIN_VMALLOC_RANGE "__vmalloc_node_range_noprof"
#else
#define TWIN_VMALLOC_RANGE "__vmalloc_node_range"
#endif

/* sys-off handlers came with 5.19; before, there is one pm_power_off. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
#define TWIN_SYS_OFF 1
#else
#define TWIN_SYS_OFF 0
#endif

/* vm_flags became read-only with 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#endif

/* Which driver alone may have a function; "": any that fits. */
static inline int twin_driver_override(struct pci_dev *function,
				       const char *name)
{
#if defined(TWIN_DEVICE_DRIVER_OVERRIDE)
	return device_set_driver_override(&function->dev, name);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
	return driver_set_override(&function->dev, &function->driver_override,
				   name, strlen(name));
#else
	char *copy = kstrdup(name, GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	device_lock(&function->dev);
	kfree(function->driver_override);
	function->driver_override = *copy ? copy : NULL;
	device_unlock(&function->dev);
	if (!*copy)
		kfree(copy);
	return 0;
#endif
}

/* Renamed with 6.16. */
static inline int twin_rdmsr_on_cpu(unsigned int cpu, u32 msr, u64 *value)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return rdmsrq_safe_on_cpu(cpu, msr, value);
#else
	return rdmsrl_safe_on_cpu(cpu, msr, value);
#endif
}

/*
 * Whether the timer that looks for hung transmit queues ends their being frozen;
 * until 5.17 it locked them all (dev_watchdog()).
 */
static inline bool twin_watchdog_thaws(const struct net_device *interface)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(5, 17, 0) &&
	       interface->netdev_ops->ndo_tx_timeout;
}

/* The flags word of a page became a structure with 6.18. */
static inline unsigned long twin_page_flags(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return page->flags.f;
#else
	return page->flags;
#endif
}

/* Threads of a process that run in the kernel alone; others than io_uring's came with 6.4. */
#ifdef PF_USER_WORKER
#define TWIN_PF_WORKERS (PF_IO_WORKER | PF_USER_WORKER)
#else
#define TWIN_PF_WORKERS PF_IO_WORKER
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "kernels before 5.10 are not supported"
#endif

#endif /* _TWIN_COMPAT_H */
