// SPDX-License-Identifier: GPL-2.0
/*
 * Panics. Whichever kernel panics says so in the shared region and rings the
 * other one, which need not wait for silence then.
 *
 * If it is A, beside a running twin, it must not reset the machine: that would
 * end B as well. Once it has said all it has to say it leaves the machine to B,
 * as in twin_park(): the boot CPU goes into the parking loop, the others halt,
 * and A never runs again. All of this with other CPUs stopped wherever they
 * were, so without any lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/smp.h>
#include <asm/nmi.h>

#include "twin_internal.h"

#define BOOT_CPU	0
/* Until the boot CPU has followed the NMI; longer means that it never will. */
#define BOOT_CPU_US	1000000

static void (*original_stop)(int wait);
static void (*original_crash_stop)(void);
static bool parking_built;
static bool boot_cpu_wanted;	/* the NMI is for us */
static unsigned int home_cpu;	/* the machine's boot CPU, if it is another one */

bool twin_other_panicked(void)
{
	struct twin_shared *shared = READ_ONCE(twin.shared);

	return shared &&
	       READ_ONCE(shared->panicked[twin_other_side()]) == TWIN_PANICKED;
}

static bool beside_a_twin(void)
{
	return twin.role == TWIN_ROLE_PRIMARY &&
	       twin_state() == TWIN_STATE_RUNNING;
}

static void tell(void)
{
	struct twin_shared *shared = READ_ONCE(twin.shared);

	if (!shared || (!beside_a_twin() && twin.role != TWIN_ROLE_SECONDARY))
		return;
	WRITE_ONCE(shared->panicked[twin.side], TWIN_PANICKED);
	mb();		/* before the doorbell */
	twin_doorbell_last();
}

static int park_on_nmi(unsigned int type, struct pt_regs *regs)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!READ_ONCE(boot_cpu_wanted))
		return NMI_DONE;
	if (cpu == READ_ONCE(home_cpu))
		twin_home_leave(0);
	if (cpu != BOOT_CPU)
		return NMI_DONE;
	twin_park_here(offsetof(struct twin_shared, boot_parked));
	return NMI_HANDLED;
}

/*
 * Before the other CPUs are stopped, for those that are do not heed NMIs any
 * more. The boot CPU cannot be taken by INIT as they can: it must come by itself.
 */
static void park_boot_cpu(void)
{
	unsigned int us;

	if (!beside_a_twin() || parking_built ||
	    atomic_read(twin_symbols.panic_cpu) != raw_smp_processor_id())
		return;
	tell();
	if (twin_park_build())
		return;
	parking_built = true;
	WRITE_ONCE(home_cpu, twin_home_cpu());
	WRITE_ONCE(boot_cpu_wanted, true);
	mb();		/* before the NMI */
	/* To be started by mailbox again, for that one neither gets INIT. */
	if (home_cpu < nr_cpu_ids && home_cpu != raw_smp_processor_id() &&
	    twin_home_call())
		cpumask_clear_cpu(home_cpu, &__cpu_online_mask);
	if (raw_smp_processor_id() == BOOT_CPU)
		return;
	twin_nmi_send(cpu_physical_id(BOOT_CPU));
	for (us = 0; us < BOOT_CPU_US; us++) {
		if (READ_ONCE(twin.shared->boot_parked) == 1) {
			/* Nobody waits for it to stop. */
			cpumask_clear_cpu(BOOT_CPU, &__cpu_online_mask);
			return;
		}
		udelay(1);
	}
}

static void stop_others(int wait)
{
	park_boot_cpu();
	original_stop(wait);
}

static void crash_stop_others(void)
{
	park_boot_cpu();
	original_crash_stop();
}

/* The end of panic(): everything is said. */
static long leave(int state)
{
	if (!parking_built)
		return 0;
	local_irq_disable();
	static_call(twin_ioapic_zap_locks)();
	static_call(twin_clear_io_apic)();
	if (raw_smp_processor_id() == BOOT_CPU)
		twin_park_here(offsetof(struct twin_shared, parked));
	/* Without its boot CPU A is not gone; B must not take its memory. */
	if (READ_ONCE(twin.shared->boot_parked) != 1)
		return 0;
	if (raw_smp_processor_id() == home_cpu)
		twin_home_leave(offsetof(struct twin_shared, parked));
	static_call(twin_disable_local_apic)();
	/* After all that A did: seen, B takes its memory. */
	smp_store_release(&twin.shared->parked, 1);
	for (;;)
		native_halt();	/* until the other kernel takes this CPU */
}

static int panicked(struct notifier_block *block, unsigned long action, void *text)
{
	if (beside_a_twin()) {
		panic_timeout = 0;	/* no reset: it would be B's, too */
		panic_blink = leave;
	}
	tell();
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = {
	.notifier_call = panicked,
	.priority = INT_MAX,
};

/* From ARM to DISARM. */
void twin_panic_prepare(void)
{
	WRITE_ONCE(twin.shared->boot_parked, 0);
	original_stop = *twin_symbols.stop_other_cpus;
	original_crash_stop = *twin_symbols.crash_stop_other_cpus;
	WRITE_ONCE(*twin_symbols.stop_other_cpus, stop_others);
	if (original_crash_stop)
		WRITE_ONCE(*twin_symbols.crash_stop_other_cpus,
			   crash_stop_others);
}

void twin_panic_restore(void)
{
	WRITE_ONCE(*twin_symbols.stop_other_cpus, original_stop);
	WRITE_ONCE(*twin_symbols.crash_stop_other_cpus, original_crash_stop);
}

int twin_panic_init(void)
{
	int err = register_nmi_handler(NMI_LOCAL, park_on_nmi, 0, "twin");

	if (err)
		return err;
	err = atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	if (err)
		unregister_nmi_handler(NMI_LOCAL, "twin");
	return err;
}

void twin_panic_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_nmi_handler(NMI_LOCAL, "twin");
}
