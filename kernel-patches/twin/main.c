// SPDX-License-Identifier: GPL-2.0
/*
 * twin - two kernels on one machine. The order in which the parts come up and go
 * away, and /sys/kernel/twin. See README.md and twin.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>

#include "twin_internal.h"

static char *role = "primary";
module_param(role, charp, 0444);
MODULE_PARM_DESC(role, "primary (default), or secondary: started beside another kernel");

static unsigned long long shared_start, shared_size;
module_param(shared_start, ullong, 0444);
MODULE_PARM_DESC(shared_start, "secondary: physical address of the shared region");
module_param(shared_size, ullong, 0444);
MODULE_PARM_DESC(shared_size, "secondary: its size in bytes");

static unsigned int poweroff_port, poweroff_value;
module_param(poweroff_port, uint, 0444);
MODULE_PARM_DESC(poweroff_port, "secondary: I/O port of the PM1a control register; default: as the other kernel's module knows it");
module_param(poweroff_value, uint, 0444);
MODULE_PARM_DESC(poweroff_value, "secondary: what to write there to switch off");

struct twin twin = {
	.lock = __MUTEX_INITIALIZER(twin.lock),
	.shared_lock = __MUTEX_INITIALIZER(twin.shared_lock),
	.state = ATOMIC_INIT(TWIN_STATE_IDLE),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(twin.wait),
};

static const char *const state_names[] = {
	[TWIN_STATE_IDLE] = "idle",
	[TWIN_STATE_CARVED] = "carved",
	[TWIN_STATE_ARMED] = "armed",
	[TWIN_STATE_RUNNING] = "running",
	[TWIN_STATE_TWIN] = "twin",
};

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attribute,
			  char *buffer)
{
	return sysfs_emit(buffer, "%s\n", state_names[twin_state()]);
}

static ssize_t role_show(struct kobject *kobj, struct kobj_attribute *attribute,
			 char *buffer)
{
	return sysfs_emit(buffer, "%s\n", twin.role == TWIN_ROLE_PRIMARY ?
			  "primary" : "secondary");
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attribute,
			char *buffer)
{
	return sysfs_emit(buffer, "%d\n", TWIN_ABI_VERSION);
}

static ssize_t shared_start_show(struct kobject *kobj,
				 struct kobj_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%#llx\n", (u64)twin.shared_start);
}

static ssize_t shared_size_show(struct kobject *kobj,
				struct kobj_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%llu\n", (u64)twin.shared_size);
}

static ssize_t twin_cpu_show(struct kobject *kobj,
			     struct kobj_attribute *attribute, char *buffer)
{
	unsigned int cpu = READ_ONCE(twin.cpu);

	return cpu < nr_cpu_ids ? sysfs_emit(buffer, "%u\n", cpu) :
				  sysfs_emit(buffer, "none\n");
}

static ssize_t startable_show(struct kobject *kobj,
			      struct kobj_attribute *attribute, char *buffer)
{
	cpumask_var_t mask;
	unsigned int cpu;
	int length;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	for_each_present_cpu(cpu)
		if (twin_may_start(cpu))
			cpumask_set_cpu(cpu, mask);
	length = sysfs_emit(buffer, "%*pbl\n", cpumask_pr_args(mask));
	free_cpumask_var(mask);
	return length;
}

static ssize_t boot_cpu_show(struct kobject *kobj,
			     struct kobj_attribute *attribute, char *buffer)
{
	unsigned int cpu = twin_boot_cpu();

	return cpu < nr_cpu_ids ? sysfs_emit(buffer, "%u\n", cpu) :
				  sysfs_emit(buffer, "none\n");
}

static struct kobj_attribute state_attribute = __ATTR_RO(state);
static struct kobj_attribute role_attribute = __ATTR_RO(role);
static struct kobj_attribute abi_attribute = __ATTR_RO(abi);
static struct kobj_attribute shared_start_attribute = __ATTR_RO(shared_start);
static struct kobj_attribute shared_size_attribute = __ATTR_RO(shared_size);
static struct kobj_attribute twin_cpu_attribute = __ATTR_RO(twin_cpu);
static struct kobj_attribute startable_attribute = __ATTR_RO(startable);
static struct kobj_attribute boot_cpu_attribute = __ATTR_RO(boot_cpu);

static struct attribute *twin_attributes[] = {
	&state_attribute.attr,
	&role_attribute.attr,
	&abi_attribute.attr,
	&shared_start_attribute.attr,
	&shared_size_attribute.attr,
	&twin_cpu_attribute.attr,
	&startable_attribute.attr,
	&boot_cpu_attribute.attr,
	NULL,
};

static const struct attribute_group twin_group = { .attrs = twin_attributes };
static struct kobject *twin_kobject;

static int sysfs_create(void)
{
	int err;

	twin_kobject = kobject_create_and_add("twin", kernel_kobj);
	if (!twin_kobject)
		return -ENOMEM;
	err = sysfs_create_group(twin_kobject, &twin_group);
	if (err)
		kobject_put(twin_kobject);
	return err;
}

static int secondary_init(void)
{
	int err = twin_attach(shared_start, shared_size);

	if (err)
		return err;
	twin.role = TWIN_ROLE_SECONDARY;
	twin.was_secondary = true;
	atomic_set(&twin.state, TWIN_STATE_TWIN);
	/* Our boot CPU stands for the other kernel's CPUs that we cannot name. */
	twin_broadcast_forbid(0);
	twin_publish();
	return 0;
}

static void secondary_exit(void)
{
	if (!twin.was_secondary)
		return;
	if (twin.role == TWIN_ROLE_SECONDARY)
		twin_broadcast_allow(0);
	twin_attach_undo();
}

static int role_init(void)
{
	twin.cpu = nr_cpu_ids;
	if (!strcmp(role, "secondary"))
		return secondary_init();
	if (!strcmp(role, "primary"))
		return 0;
	pr_err("role=%s: neither primary nor secondary\n", role);
	return -EINVAL;
}

static int __init twin_init(void)
{
	int err = security_locked_down(LOCKDOWN_KEXEC);

	if (err)
		return err;
	err = twin_symbols_init();
	if (err)
		return err;
	err = role_init();
	if (err)
		goto undo_symbols;
	err = twin_cpu_init();
	if (err)
		goto undo_role;
	err = twin_ipi_init();
	if (err)
		goto undo_cpu;
	err = twin_start_init();
	if (err)
		goto undo_ipi;
	err = twin_poweroff_init(poweroff_port, poweroff_value);
	if (err)
		goto undo_start;
	err = twin_panic_init();
	if (err)
		goto undo_poweroff;
	err = twin_heartbeat_init();
	if (err)
		goto undo_panic;
	err = twin_port_init();
	if (err)
		goto undo_heartbeat;
	err = sysfs_create();
	if (err)
		goto undo_port;
	err = misc_register(&twin_device);
	if (err)
		goto undo_sysfs;
	/* What keeps the machine's boot CPU from an INIT is in here (cpu.c). */
	if (twin.was_secondary)
		__module_get(THIS_MODULE);
	return 0;

undo_sysfs:
	kobject_put(twin_kobject);
undo_port:
	twin_port_exit();
undo_heartbeat:
	twin_heartbeat_exit();
undo_panic:
	twin_panic_exit();
undo_poweroff:
	twin_poweroff_exit();
undo_start:
	twin_start_exit();
undo_ipi:
	twin_ipi_exit();
undo_cpu:
	twin_cpu_exit();
undo_role:
	secondary_exit();
undo_symbols:
	twin_writable_end();
	return err;
}

/* Not reached while a region is carved: that holds the module. */
static void __exit twin_exit(void)
{
	misc_deregister(&twin_device);
	kobject_put(twin_kobject);
	twin_port_exit();
	twin_heartbeat_exit();
	twin_panic_exit();
	twin_poweroff_exit();
	twin_start_exit();
	twin_ipi_exit();
	twin_cpu_exit();
	twin_shadow_exit();
	secondary_exit();
	twin_writable_end();
}

module_init(twin_init);
module_exit(twin_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Twinkernel authors");
MODULE_DESCRIPTION("Two kernels on one machine: start, share, hand over");
MODULE_VERSION("1.0");
