// SPDX-License-Identifier: GPL-2.0
/*
 * What the module needs of the kernel and the kernel does not export. All of it
 * is looked up once, when the module is loaded; what is missing is named and
 * the module is not loaded, so that nothing can be missing later.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/x86_init.h>

#include "twin_internal.h"

struct twin_symbols twin_symbols;

DEFINE_STATIC_CALL_NULL(twin_machine_kexec, twin_kexec_fn);
DEFINE_STATIC_CALL_NULL(twin_idle_task_exit, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_report_dead, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_apic_smt_update, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_disable_local_apic, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_clear_io_apic, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_ioapic_zap_locks, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_lock_device_hotplug, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_unlock_device_hotplug, twin_void_fn);
DEFINE_STATIC_CALL_NULL(twin_walk_memory_blocks, twin_walk_fn);
DEFINE_STATIC_CALL_NULL(twin_walk_page_range, twin_pagewalk_fn);
DEFINE_STATIC_CALL_NULL(twin_put_task_stack, twin_task_fn);
DEFINE_STATIC_CALL_NULL(twin_device_online, twin_device_fn);
DEFINE_STATIC_CALL_NULL(twin_init_memory_mapping, twin_map_fn);
DEFINE_STATIC_CALL_NULL(twin_add_memory_resource, twin_add_fn);
DEFINE_STATIC_CALL_NULL(twin_vmalloc_range, twin_vmalloc_fn);
DEFINE_STATIC_CALL_NULL(twin_kallsyms_lookup, twin_lookup_fn);

static int missing;

/* Up to 5.11 the pointer must have the call's type. */
#define set_call(call, address)						\
	do {								\
		typeof(STATIC_CALL_TRAMP(call)) *target_ = (void *)(address); \
									\
		static_call_update(call, target_);			\
	} while (0)

/* Only a kprobe still finds kallsyms_lookup_name(), unexported since 5.7. */
static int find_kallsyms(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int err = register_kprobe(&probe);

	if (err) {
		pr_err("no kprobe on kallsyms_lookup_name (%d): the kernel needs CONFIG_KPROBES and CONFIG_KALLSYMS\n",
		       err);
		return err;
	}
	set_call(twin_kallsyms_lookup, probe.addr);
	unregister_kprobe(&probe);
	return 0;
}

static void *optional(const char *name)
{
	return (void *)static_call(twin_kallsyms_lookup)(name);
}

static void *required(const char *name)
{
	void *address = optional(name);

	if (!address) {
		pr_err("this kernel has no symbol %s\n", name);
		missing++;
	}
	return address;
}

static void *settable(const char *name, void *address)
{
	void *place = twin_writable(address);

	if (address && !place) {
		pr_err("cannot map %s\n", name);
		missing++;
	}
	return place;
}

#define require_call(call, name)					\
	do {								\
		void *address_ = required(name);			\
									\
		if (address_)						\
			set_call(call, address_);			\
	} while (0)

/* Of a function whose work newer kernels do elsewhere; by static_call_cond(). */
#define optional_call(call, name)					\
	do {								\
		void *address_ = optional(name);			\
									\
		if (address_)						\
			set_call(call, address_);			\
	} while (0)

static void find_kexec(struct twin_symbols *s)
{
	s->kexec_crash_image = required("kexec_crash_image");
	s->crashk_res = required("crashk_res");
	s->kexec_lock = optional("__kexec_lock");
	s->kexec_mutex = optional("kexec_mutex");
	if (!s->kexec_lock && !s->kexec_mutex) {
		pr_err("this kernel has neither symbol __kexec_lock nor kexec_mutex\n");
		missing++;
	}
	require_call(twin_machine_kexec, "machine_kexec");
}

static void find_cpu(struct twin_symbols *s)
{
	void *blob = required("real_mode_blob");
	void *blob_end = required("real_mode_blob_end");

	s->cpus_booted_once_mask = required("cpus_booted_once_mask");
	s->real_mode_header = required("real_mode_header");
	s->real_mode_size = PAGE_ALIGN(blob_end - blob);
	s->platform_ipi_callback = settable("x86_platform_ipi_callback",
					    required("x86_platform_ipi_callback"));
	s->play_dead = settable("smp_ops", &smp_ops.play_dead);
	s->stop_other_cpus = settable("smp_ops", &smp_ops.stop_other_cpus);
	s->crash_stop_other_cpus = settable("smp_ops",
					    &smp_ops.crash_stop_other_cpus);
	s->warm_reset = settable("x86_platform", &x86_platform.legacy.warm_reset);
	s->wake = settable("apic", &apic->wakeup_secondary_cpu);
	s->panic_cpu = required("panic_cpu");
	s->ftrace_enabled = optional("ftrace_enabled");
	optional_call(twin_idle_task_exit, "idle_task_exit");
	require_call(twin_report_dead, TWIN_REPORT_DEAD);
	require_call(twin_put_task_stack, "put_task_stack");
	require_call(twin_apic_smt_update, "apic_smt_update");
	require_call(twin_disable_local_apic, "disable_local_APIC");
	require_call(twin_clear_io_apic, "clear_IO_APIC");
	require_call(twin_ioapic_zap_locks, "ioapic_zap_locks");
}

static void find_memory(struct twin_symbols *s)
{
	s->max_pfn = required("max_pfn");
	s->max_low_pfn = required("max_low_pfn");
	require_call(twin_lock_device_hotplug, "lock_device_hotplug");
	require_call(twin_unlock_device_hotplug, "unlock_device_hotplug");
	require_call(twin_walk_memory_blocks, "walk_memory_blocks");
	require_call(twin_walk_page_range, "walk_page_range");
	require_call(twin_device_online, "device_online");
	require_call(twin_init_memory_mapping, "init_memory_mapping");
	require_call(twin_add_memory_resource, "add_memory_resource");
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		require_call(twin_vmalloc_range, TWIN_VMALLOC_RANGE);
}

int twin_symbols_init(void)
{
	int err = find_kallsyms();

	if (err)
		return err;
	find_kexec(&twin_symbols);
	find_cpu(&twin_symbols);
	find_memory(&twin_symbols);
	twin_symbols.raw_pci_ops = settable("raw_pci_ops",
					    required("raw_pci_ops"));
	twin_symbols.raw_pci_ext_ops = settable("raw_pci_ext_ops",
						required("raw_pci_ext_ops"));
	if (!missing)
		return 0;
	twin_writable_end();
	return -ENOENT;
}
