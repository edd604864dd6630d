/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the twin module share. The user interface is twin.h. */
#ifndef _TWIN_INTERNAL_H
#define _TWIN_INTERNAL_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kexec.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/static_call.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/pci_x86.h>

#include "compat.h"
#include "twin.h"

struct acpi_table_header;
struct memory_block;
struct mm_struct;
struct mm_walk_ops;
struct miscdevice;
struct resource;

/* The header of the shared region that A's broker wrote, after all checks. */
struct twin_layout {
	u64 instance;
	u64 parking_offset;
	u64 parking_size;
	u64 head_size;		/* up to the end of tables and parking area */
};

/*
 * What A's module leaves for B's, in the last page of the parking area. It is
 * not for userspace; zeros are what a module without a note leaves.
 */
struct twin_notes {
	u32 poweroff_port;	/* I/O port of PM1a_CNT, 0: not known */
	u32 poweroff_value;	/* what to write there to switch off */
	u32 boot_apic_known;	/* whether the next one is */
	u32 boot_apic_id;	/* of the machine's boot CPU */
	u64 boot_home;		/* physical address of the parking area where it waits
				 * when no kernel runs on it; 0: for good, or unknown
				 */
};

#define TWIN_NOTES_OFFSET (TWIN_PARKING_SIZE - PAGE_SIZE)

/*
 * The module's state. @lock serializes everything that changes something for
 * userspace and may take long; @shared_lock, inside it, only keeps the region
 * from going away under whoever writes to it. @state is also changed, by
 * compare-and-swap, by the CPU that starts a twin.
 */
struct twin {
	struct mutex lock;		/* see above */
	struct mutex shared_lock;	/* see above */
	atomic_t state;			/* TWIN_STATE_* */
	u32 role;			/* TWIN_ROLE_* */
	u32 side;			/* TWIN_SIDE_* in the shared region */
	bool was_secondary;		/* started as a twin, promoted or not */
	unsigned int cpu;		/* starts the twin, or nr_cpu_ids */

	phys_addr_t shared_start;
	phys_addr_t shared_size;	/* 0: there is none */
	struct twin_shared *shared;	/* first page of the region, mapped */
	atomic_t mappings;		/* of the region in userspace */

	wait_queue_head_t wait;		/* doorbell, heartbeat, panic */
	bool other_stopped;		/* the other kernel: silent, or panicked */
};

extern struct twin twin;

static inline u32 twin_state(void)
{
	return atomic_read(&twin.state);
}

static inline u32 twin_other_side(void)
{
	return twin.side == TWIN_SIDE_A ? TWIN_SIDE_B : TWIN_SIDE_A;
}

/* symbols.c: what the kernel has but does not export */
struct twin_symbols {
	struct kimage **kexec_crash_image;
	struct resource *crashk_res;
	atomic_t *kexec_lock;		/* from 6.0 on, and late in 5.15 */
	struct mutex *kexec_mutex;	/* before */
	struct cpumask *cpus_booted_once_mask;
	void **real_mode_header;
	size_t real_mode_size;
	const struct pci_raw_ops **raw_pci_ops;
	const struct pci_raw_ops **raw_pci_ext_ops;
	int *warm_reset;		/* whether starting a CPU writes to CMOS */
	atomic_t *panic_cpu;
	int *ftrace_enabled;		/* NULL without CONFIG_FUNCTION_TRACER */
	unsigned long *max_pfn;
	unsigned long *max_low_pfn;

	void (**platform_ipi_callback)(void);
	void (**play_dead)(void);	/* of smp_ops */
	void (**stop_other_cpus)(int wait);
	void (**crash_stop_other_cpus)(void);
	twin_wake_fn *wake;		/* apic->wakeup_secondary_cpu */
};

extern struct twin_symbols twin_symbols;

int twin_symbols_init(void);

/* writable.c: pointers that the kernel keeps read-only */
void *twin_writable(void *address);
void twin_writable_end(void);

/*
 * Functions are reached by static calls: those are direct branches, so that
 * indirect branch tracking has no say in what was never meant to be reached
 * through a pointer.
 */
void twin_void_fn(void);
unsigned long twin_lookup_fn(const char *name);
int twin_walk_fn(unsigned long start, unsigned long size, void *arg,
		 int (*func)(struct memory_block *block, void *arg));
int twin_pagewalk_fn(struct mm_struct *mm, unsigned long start,
		     unsigned long end, const struct mm_walk_ops *ops,
		     void *private);
void twin_task_fn(struct task_struct *task);
int twin_device_fn(struct device *dev);
unsigned long twin_map_fn(unsigned long start, unsigned long end, pgprot_t prot);
int twin_add_fn(int nid, struct resource *res, mhp_t flags);
void twin_kexec_fn(struct kimage *image);
void *twin_vmalloc_fn(unsigned long size, unsigned long align,
		      unsigned long start, unsigned long end, gfp_t gfp,
		      pgprot_t prot, unsigned long flags, int node,
		      const void *caller);

DECLARE_STATIC_CALL(twin_machine_kexec, twin_kexec_fn);
DECLARE_STATIC_CALL(twin_idle_task_exit, twin_void_fn);
DECLARE_STATIC_CALL(twin_report_dead, twin_void_fn);
DECLARE_STATIC_CALL(twin_apic_smt_update, twin_void_fn);
DECLARE_STATIC_CALL(twin_disable_local_apic, twin_void_fn);
DECLARE_STATIC_CALL(twin_clear_io_apic, twin_void_fn);
DECLARE_STATIC_CALL(twin_ioapic_zap_locks, twin_void_fn);
DECLARE_STATIC_CALL(twin_lock_device_hotplug, twin_void_fn);
DECLARE_STATIC_CALL(twin_unlock_device_hotplug, twin_void_fn);
DECLARE_STATIC_CALL(twin_walk_memory_blocks, twin_walk_fn);
DECLARE_STATIC_CALL(twin_walk_page_range, twin_pagewalk_fn);
DECLARE_STATIC_CALL(twin_put_task_stack, twin_task_fn);
DECLARE_STATIC_CALL(twin_device_online, twin_device_fn);
DECLARE_STATIC_CALL(twin_init_memory_mapping, twin_map_fn);
DECLARE_STATIC_CALL(twin_add_memory_resource, twin_add_fn);
DECLARE_STATIC_CALL(twin_vmalloc_range, twin_vmalloc_fn);

/* device.c: /dev/twin */
extern struct miscdevice twin_device;

/* carve.c: the shared and the crash region, and the lock around crash images */
bool twin_kexec_trylock(void);
void twin_kexec_unlock(void);
int twin_carve(u64 bytes, u64 *start);
int twin_attach(u64 start, u64 size);
void twin_release_ram_buffer(u64 start, u64 end);
void twin_attach_undo(void);
int twin_retire(void);
int twin_crash_region(u64 start, u64 size);

/* shared.c: the header of the shared region */
int twin_layout_read(struct twin_layout *layout);
void twin_layout_keep(const struct twin_layout *layout);
void twin_shared_reset(struct twin_shared *shared);
void twin_shared_forget_other(void);
void twin_publish(void);
int twin_notes_read(struct twin_notes *notes);

/* panic.c: this kernel panics, or the other one did */
bool twin_other_panicked(void);
void twin_panic_prepare(void);
void twin_panic_restore(void);
int twin_panic_init(void);
void twin_panic_exit(void);

/* start.c: a CPU that goes offline starts the twin */
int twin_arm(unsigned int cpu);
int twin_disarm(void);
void twin_take_back(unsigned int cpu);
void twin_start_settle(void);
int twin_start_init(void);
void twin_start_exit(void);

/* park.c: A's end */
/* The loop as it was built, before the point of no return. */
struct twin_parking {
	phys_addr_t start;	/* of the parking area */
	u8 *area;		/* the same, in this kernel's mapping */
	unsigned int used;	/* pages of it */
	phys_addr_t top;	/* final page tables */
	phys_addr_t transit;	/* the same plus this kernel's half */
};

int twin_parking_build(struct twin_parking *parking, phys_addr_t start, u8 *area,
		       phys_addr_t flag);
void twin_parking_enter(struct twin_parking *parking, phys_addr_t flag);
int twin_park(void);
int twin_park_build(void);
void twin_park_here(size_t flag_offset);

/* ipi.c: the doorbell, and keeping broadcasts from the other kernel's CPUs */
int twin_doorbell(void);
void twin_doorbell_last(void);
void twin_nmi_send(u32 apic_id);
void twin_init_send(u32 apic_id);
u64 twin_doorbell_count(void);
void twin_broadcast_forbid(unsigned int cpu);
void twin_broadcast_allow(unsigned int cpu);
int twin_ipi_init(void);
void twin_ipi_exit(void);

/* pci.c: configuration space, and buses that A let go */
u64 twin_pci_ecam(void);
int twin_pci_use_ecam(void);
void twin_pci_restore(void);
void twin_pci_silence(void);
int twin_pci_prepare(const struct twin_prepare *prepare);
int twin_pci_adopt(const void __user *table, u32 length);

/* shadow.c: buses that the other kernel still uses */
int twin_shadow_enumerate(u32 first_bus, u32 last_bus,
			  const struct twin_bar __user *bars, u32 bar_count,
			  int (*enumerate)(struct acpi_table_header *table),
			  struct acpi_table_header *table);
bool twin_shadow_active(void);
bool twin_shadow_covers(unsigned int bus);
const struct pci_raw_ops *twin_shadow_real_ops(void);
int twin_shadow_write_back(const struct acpi_table_header *table);
void twin_shadow_exit(void);

/* suspend.c: functions that A hands over with their driver bound */
int twin_pci_suspend(u32 address);
int twin_pci_freeze(u32 address);
int twin_pci_resume(u32 address);
bool twin_pci_is_suspended(const struct pci_dev *function);

/* port.c: interfaces that fall silent for the switch */
int twin_port_set(u32 index, u32 mode);
int twin_port_take(u32 index, u8 __user *to, u64 room, u64 *length);
int twin_port_give(u32 index, const u8 __user *from, u64 length);
int twin_port_init(void);
void twin_port_exit(void);

/* memory.c: memory that A let go */
int twin_memory_add(unsigned int node, u64 start, u64 size, u64 *added);
int twin_memory_map(u64 start, u64 size, struct resource **claimed);

/* pages.c: what a process's pages are */
int twin_pages_scan(const struct twin_pages *pages);

/* files.c: what a process has open */
int twin_files_exchange(const struct twin_files *files);

/* timers.c: what a process has set */
int twin_timers_read(struct twin_timers *timers);

/* threads.c: registers and signals of those that stand still */
int twin_threads_read(struct twin_threads *threads);
/* With a reference, by the number that the caller knows; NULL: there is none. */
struct task_struct *twin_get_task(u32 number, enum pid_type type);

/* kasan.c: what a kernel that checks its memory accesses needs of more memory */
#ifdef CONFIG_KASAN_GENERIC
int twin_kasan_map(u64 start, u64 end, unsigned int node);
#else
static inline int twin_kasan_map(u64 start, u64 end, unsigned int node)
{
	return 0;
}
#endif

/* cpu.c: which CPUs this kernel may start */
u32 twin_boot_apic_id(void);
unsigned int twin_boot_cpu(void);
bool twin_may_start(unsigned int cpu);
void twin_boot_cpu_note(struct twin_notes *notes, u64 parking);
int twin_cpu_init(void);
void twin_cpu_exit(void);

/* home.c: where the machine's boot CPU waits, and getting it from there */
bool twin_home_open(void);
unsigned int twin_home_cpu(void);
u64 twin_home_address(void);
void twin_home_wake_by_mailbox(bool mailbox);
int twin_home_wait(void);
bool twin_home_call(void);
void twin_home_leave(size_t flag_offset);
int twin_home_init(u64 address, u32 apic_id);
void twin_home_exit(void);

/* heartbeat.c */
void twin_heartbeat_forget_other(void);
int twin_heartbeat_init(void);
void twin_heartbeat_exit(void);

/* poweroff.c: the way to switch the machine off that a twin's tables lack */
void twin_poweroff_note(struct twin_notes *notes);
int twin_poweroff_init(unsigned int port, unsigned int value);
void twin_poweroff_exit(void);

#endif /* _TWIN_INTERNAL_H */
