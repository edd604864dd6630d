// SPDX-License-Identifier: GPL-2.0
/*
 * Starting a twin: a CPU that is taken offline does not halt but jumps into the
 * image that kexec_file_load(KEXEC_FILE_ON_CRASH) placed in the crash region,
 * while the other CPUs go on. To this kernel it is an ordinary offline CPU, as
 * are those that went offline just before it and that the twin starts itself;
 * putting one of them online again (INIT, SIPI) ends the twin.
 *
 * From ARM to DISARM the module holds the kexec lock: nobody can load over the
 * image, unload it, or, in a panic, jump into it.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <asm/msr.h>

#include "twin_internal.h"

static void (*original_play_dead)(void);
static struct kimage *image;	/* what the twin was started from */
static int ftrace_was_enabled;
static struct cpumask given;	/* offline since ARM: the twin's, until they are back */
static enum cpuhp_state online_state;

/* An INIT has no answer; until then it has arrived. */
#define INIT_US	100

/* On the dying CPU, interrupts off, never to return if it starts the twin. */
static void twin_play_dead(void)
{
	unsigned int cpu = raw_smp_processor_id();

	/* Where the kernel lets the boot CPU go, it is not for a twin: INIT resets it. */
	if (twin_state() == TWIN_STATE_ARMED &&
	    cpu_physical_id(cpu) != twin_boot_apic_id())
		cpumask_set_cpu(cpu, &given);
	if (cpu == READ_ONCE(twin.cpu) &&
	    atomic_cmpxchg(&twin.state, TWIN_STATE_ARMED,
			   TWIN_STATE_RUNNING) == TWIN_STATE_ARMED) {
		image = *twin_symbols.kexec_crash_image;
		WRITE_ONCE(*twin_symbols.kexec_crash_image, NULL);
		static_call_cond(twin_idle_task_exit)();
		static_call(twin_report_dead)();
		local_irq_disable();
		static_call(twin_machine_kexec)(image);
	}
	original_play_dead();
}

/*
 * @cpu is about to be started here. If it is the twin's, all of the twin's CPUs
 * stop first: one that ran on would send interrupts to those that are this
 * kernel's again, such as the one by which a panic stops CPUs. Twice, for one
 * that comes late to its INIT may have started another before.
 */
void twin_take_back(unsigned int cpu)
{
	unsigned int one, round;

	if (twin_state() != TWIN_STATE_RUNNING || !cpumask_test_cpu(cpu, &given))
		return;
	for (round = 0; round < 2; round++) {
		for_each_cpu(one, &given)
			twin_init_send(cpu_physical_id(one));
		udelay(INIT_US);
	}
}

static int cpu_came_online(unsigned int cpu)
{
	cpumask_clear_cpu(cpu, &given);
	/* Until DISARM no shorthand is sent: see twin_broadcast_forbid(). */
	if (cpu == READ_ONCE(twin.cpu) &&
	    (twin_state() == TWIN_STATE_ARMED ||
	     twin_state() == TWIN_STATE_RUNNING))
		cpumask_clear_cpu(cpu, twin_symbols.cpus_booted_once_mask);
	return 0;
}

static bool is_machine_boot_cpu(unsigned int cpu)
{
	u64 base;

	/* INIT resets it on real hardware: it can neither be lent nor taken. */
	return twin_rdmsr_on_cpu(cpu, MSR_IA32_APICBASE, &base) ||
	       base & MSR_IA32_APICBASE_BSP;
}

/* Called with twin.lock held. */
int twin_arm(unsigned int cpu)
{
	struct twin_layout layout;
	int err;

	if (twin.role != TWIN_ROLE_PRIMARY)
		return -EOPNOTSUPP;
	if (twin_state() == TWIN_STATE_IDLE)
		return -ENXIO;
	if (twin_state() != TWIN_STATE_CARVED)
		return -EBUSY;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	if (!cpu || is_machine_boot_cpu(cpu))
		return -EPERM;
	if (twin_layout_read(&layout))
		return -ENXIO;
	if (!twin_kexec_trylock())
		return -EBUSY;
	if (!*twin_symbols.kexec_crash_image) {
		err = -ENOEXEC;
		goto unlock;
	}
	err = twin_pci_use_ecam();
	if (err)
		goto unlock;

	twin_layout_keep(&layout);
	twin_shared_forget_other();
	twin_publish();
	twin_broadcast_forbid(cpu);
	cpumask_clear(&given);
	if (twin_symbols.ftrace_enabled)
		ftrace_was_enabled = *twin_symbols.ftrace_enabled;
	WRITE_ONCE(twin.cpu, cpu);
	twin_panic_prepare();
	original_play_dead = *twin_symbols.play_dead;
	atomic_set(&twin.state, TWIN_STATE_ARMED);
	/* After the state: the hook must find it. */
	smp_store_release(twin_symbols.play_dead, twin_play_dead);
	return 0;

unlock:
	twin_kexec_unlock();
	return err;
}

/* Called with twin.lock held. */
int twin_disarm(void)
{
	unsigned int cpu = twin.cpu;
	int err = 0;

	/* No CPU goes on- or offline while this decides. */
	cpus_read_lock();
	if (atomic_cmpxchg(&twin.state, TWIN_STATE_ARMED,
			   TWIN_STATE_CARVED) != TWIN_STATE_ARMED) {
		if (twin_state() != TWIN_STATE_RUNNING)
			err = -ENXIO;
		else if (!cpumask_empty(&given))
			err = -EBUSY;
	}
	if (!err) {
		WRITE_ONCE(*twin_symbols.play_dead, original_play_dead);
		WRITE_ONCE(twin.cpu, nr_cpu_ids);
	}
	cpus_read_unlock();
	if (err)
		return err;

	twin_panic_restore();
	twin_start_settle();
	if (image)
		*twin_symbols.kexec_crash_image = image;
	image = NULL;
	twin_shared_forget_other();
	twin_layout_keep(NULL);
	twin_broadcast_allow(cpu);
	twin_pci_restore();
	twin_kexec_unlock();
	atomic_set(&twin.state, TWIN_STATE_CARVED);
	return 0;
}

/*
 * machine_kexec() expects to take the whole kernel with it and switches function
 * tracing off for all of it. Undo that once the twin has been started.
 */
void twin_start_settle(void)
{
	if (twin_symbols.ftrace_enabled && ftrace_was_enabled &&
	    twin_state() == TWIN_STATE_RUNNING)
		WRITE_ONCE(*twin_symbols.ftrace_enabled, ftrace_was_enabled);
}

int twin_start_init(void)
{
	int state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "twin:online",
					      cpu_came_online, NULL);

	if (state < 0)
		return state;
	online_state = state;
	return 0;
}

void twin_start_exit(void)
{
	cpuhp_remove_state_nocalls(online_state);
}
