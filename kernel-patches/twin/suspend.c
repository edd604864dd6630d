// SPDX-License-Identifier: GPL-2.0
/*
 * A function that A hands over for a moment that counts, and finds again after
 * a roll back: its driver stays bound. A NIC's is not told before it comes back:
 * it is left as kexec leaves it to the next kernel: bus mastering off, whose
 * driver resets it. Should it come back, the driver's hibernation callbacks do
 * what is wanted: freeze lets go of interrupts and queues, restore sets it
 * up from scratch, whatever another kernel did with it in between
 * (Documentation/driver-api/pm/devices.rst).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/rcupdate.h>

#include "twin_internal.h"

#define SUSPENDED_MAX 16

/* Each holds a reference to its function and to this module; under twin.lock. */
static struct suspended {
	struct pci_dev *function;
	bool frozen;		/* its driver was told, and must not be told twice */
} suspended[SUSPENDED_MAX];

static struct suspended *find(const struct pci_dev *function)
{
	unsigned int i;

	for (i = 0; i < SUSPENDED_MAX; i++)
		if (suspended[i].function == function)
			return &suspended[i];
	return NULL;
}

/* Whether the other kernel may be driving a function that has a driver here. */
bool twin_pci_is_suspended(const struct pci_dev *function)
{
	return find(function);
}

static struct pci_dev *get_function(u32 address)
{
	return pci_get_domain_bus_and_slot(address >> 16, address >> 8 & 0xff,
					   address & 0xff);
}

static const struct dev_pm_ops *driver_ops(const struct pci_dev *function)
{
	const struct dev_pm_ops *ops;

	if (!function->dev.driver)
		return ERR_PTR(-ENODEV);
	ops = function->dev.driver->pm;
	if (!ops || !ops->freeze || !ops->restore)
		return ERR_PTR(-EOPNOTSUPP);
	return ops;
}

static bool belongs_to(const struct device *device,
		       const struct pci_dev *function)
{
	for (; device; device = device->parent)
		if (device == &function->dev)
			return true;
	return false;
}

/* How many of the interface's receive loops are not done yet; starts all. */
static unsigned int poll_queues(struct net_device *interface)
{
	struct napi_struct *napi;
	unsigned int busy = 0;

	if (!netif_running(interface))
		return 0;
	/* Those that are started run when the softirqs are let go on. */
	local_bh_disable();
	list_for_each_entry_rcu(napi, &interface->napi_list, dev_list)
		napi_schedule(napi);
	local_bh_enable();
	list_for_each_entry_rcu(napi, &interface->napi_list, dev_list)
		busy += !!(READ_ONCE(napi->state) & NAPIF_STATE_SCHED);
	return busy;
}

static unsigned int with_interfaces(const struct pci_dev *function,
				    unsigned int (*act)(struct net_device *))
{
	struct net_device *interface;
	unsigned int sum = 0;

	rcu_read_lock();
	for_each_netdev_rcu(&init_net, interface)
		if (belongs_to(interface->dev.parent, function))
			sum += act(interface);
	rcu_read_unlock();
	return sum;
}

static unsigned int detach(struct net_device *interface)
{
	netif_tx_lock_bh(interface);
	netif_device_detach(interface);
	netif_tx_unlock_bh(interface);
	return 0;
}

static unsigned int attach(struct net_device *interface)
{
	netif_device_attach(interface);
	return 0;
}

static int message_irq(struct pci_dev *function, unsigned int index)
{
	return pci_dev_msi_enabled(function) ? pci_irq_vector(function, index) :
					       -ENOENT;
}

/*
 * A function's message-signaled interrupts are routed by a table in the function
 * itself, which belongs to whoever drives it. This kernel writes there when a
 * CPU goes offline; not for interrupts that are masked, nor while it believes
 * the function to be powered down (__pci_write_msi_msg()).
 */
static void silence_interrupts(struct pci_dev *function)
{
	unsigned int i;
	int irq;

	for (i = 0; (irq = message_irq(function, i)) >= 0; i++) {
		irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
		disable_irq(irq);
	}
	function->current_state = PCI_D3hot;
}

static void allow_interrupts(struct pci_dev *function)
{
	unsigned int i;
	int irq;

	for (i = 0; (irq = message_irq(function, i)) >= 0; i++) {
		irq_clear_status_flags(irq, IRQ_DISABLE_UNLAZY);
		enable_irq(irq);
	}
}

/*
 * With bus mastering off, a NIC keeps what arrives or has to leave it on the
 * wire, and raises no interrupt. What it put into memory before is handed to
 * the protocols here: they may have told the sender that they have it.
 */
static void stop(struct pci_dev *function)
{
	unsigned int tries = 100;
	u16 command;

	pci_clear_master(function);
	/* What it wrote before comes before the answer: PCIe 5.0, 2.4.1. */
	pci_read_config_word(function, PCI_COMMAND, &command);
	silence_interrupts(function);
	while (with_interfaces(function, poll_queues) && --tries)
		usleep_range(50, 200);
	/* Last: a queue that was polled may be let go on. */
	with_interfaces(function, detach);
}

static int suspend_nic(struct pci_dev *function, const struct dev_pm_ops *ops)
{
	pci_save_state(function);
	stop(function);
	return 0;
}

/*
 * A driver of disks, say: its freeze holds back what comes from above, lets go
 * of its queues and resets the device, so that nothing of this kernel is on its
 * way to it any more, whoever still asks for something.
 */
static int freeze_driver(struct pci_dev *function, const struct dev_pm_ops *ops)
{
	int err = ops->freeze(&function->dev);

	if (err)
		return err;
	pci_save_state(function);
	pci_clear_master(function);
	return 0;
}

static int hand_over(u32 address, bool frozen,
		     int (*act)(struct pci_dev *function,
				const struct dev_pm_ops *ops))
{
	struct pci_dev *function = get_function(address);
	const struct dev_pm_ops *ops;
	struct suspended *slot;
	int err;

	if (!function)
		return -ENODEV;
	err = -EALREADY;
	if (find(function))
		goto put;
	slot = find(NULL);
	err = -ENOSPC;
	if (!slot)
		goto put;

	device_lock(&function->dev);
	ops = driver_ops(function);
	err = PTR_ERR_OR_ZERO(ops) ?: act(function, ops);
	if (err)
		goto unlock;
	__module_get(THIS_MODULE);
	slot->function = function;
	slot->frozen = frozen;
	device_unlock(&function->dev);
	return 0;

unlock:
	device_unlock(&function->dev);
put:
	pci_dev_put(function);
	return err;
}

/* Called with twin.lock held. */
int twin_pci_suspend(u32 address)
{
	return hand_over(address, false, suspend_nic);
}

/* Called with twin.lock held. */
int twin_pci_freeze(u32 address)
{
	return hand_over(address, true, freeze_driver);
}

static int restart(struct suspended *slot, const struct dev_pm_ops *ops)
{
	struct pci_dev *function = slot->function;
	int err;

	/* What the other kernel set going ends here. */
	pci_clear_master(function);
	if (__pci_reset_function_locked(function))
		pci_dbg(function, "no reset but its driver's\n");
	function->current_state = PCI_D0;
	pci_restore_state(function);
	pci_clear_master(function);
	if (!slot->frozen) {
		allow_interrupts(function);
		/* Or freeze would not see that it has to stop them. */
		with_interfaces(function, attach);
		err = ops->freeze(&function->dev);
		if (err)
			return err;
		slot->frozen = true;
	}
	return ops->restore(&function->dev);
}

/* Called with twin.lock held. */
int twin_pci_resume(u32 address)
{
	struct pci_dev *function = get_function(address);
	const struct dev_pm_ops *ops;
	struct suspended *slot;
	int err;

	if (!function)
		return -ENODEV;
	slot = find(function);
	err = -ENOENT;
	if (!slot)
		goto put;

	device_lock(&function->dev);
	ops = driver_ops(function);
	err = PTR_ERR_OR_ZERO(ops);
	if (!err)
		err = restart(slot, ops);
	device_unlock(&function->dev);
	if (!err) {
		slot->function = NULL;
		pci_dev_put(function);
		module_put(THIS_MODULE);
	}
put:
	pci_dev_put(function);
	return err;
}
