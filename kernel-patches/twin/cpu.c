// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPUs this kernel may start. Starting one is an INIT, whatever it runs:
 * as long as another kernel owns the machine only those that it gave may get
 * one, and never the machine's boot CPU: INIT would reset real hardware. That one
 * comes by its mailbox (home.c), once the other kernel has parked.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <asm/x86_init.h>

#include "twin_internal.h"

/* More than a kernel's command line has room for. */
#define MOST_CPUS 512

static unsigned int cpus[MOST_CPUS];
static unsigned int cpu_count;
module_param_array(cpus, uint, &cpu_count, 0444);
MODULE_PARM_DESC(cpus, "secondary: APIC ids of the CPUs that the other kernel gave");

static int warm_reset;		/* as the kernel had it */
static bool boot_apic_known;
static u32 boot_apic_id;
static enum cpuhp_state prepare_state;

/* Of the machine's boot CPU; where nobody knows it, of this kernel's. */
u32 twin_boot_apic_id(void)
{
	return boot_apic_known ? boot_apic_id : cpu_physical_id(0);
}

/* For the next kernel. @parking: where this one parks if it runs on that CPU. */
void twin_boot_cpu_note(struct twin_notes *notes, u64 parking)
{
	WRITE_ONCE(notes->boot_home,
		   twin.was_secondary ? twin_home_address() : parking);
	WRITE_ONCE(notes->boot_apic_id, boot_apic_id);
	WRITE_ONCE(notes->boot_apic_known, boot_apic_known);
}

static bool was_given(u32 apic_id)
{
	unsigned int i;

	for (i = 0; i < cpu_count; i++)
		if (cpus[i] == apic_id)
			return true;
	return false;
}

/* The number of the machine's boot CPU here, or nr_cpu_ids. */
unsigned int twin_boot_cpu(void)
{
	unsigned int cpu;

	if (boot_apic_known)
		for_each_present_cpu(cpu)
			if (cpu_physical_id(cpu) == boot_apic_id)
				return cpu;
	return nr_cpu_ids;
}

static bool is_machines_boot_cpu(unsigned int cpu)
{
	return cpu && boot_apic_known && cpu_physical_id(cpu) == boot_apic_id;
}

/* This kernel's own boot CPU, number 0, runs anyway. */
bool twin_may_start(unsigned int cpu)
{
	u32 apic_id = cpu_physical_id(cpu);

	if (!cpu)
		return true;
	if (is_machines_boot_cpu(cpu))
		return twin_home_open();
	return twin.role != TWIN_ROLE_SECONDARY || was_given(apic_id);
}

/* Before the CPU gets its INIT. */
static int prepare(unsigned int cpu)
{
	if (!twin_may_start(cpu))
		return -EPERM;
	twin_take_back(cpu);
	/* One CPU is started at a time. */
	twin_home_wake_by_mailbox(is_machines_boot_cpu(cpu));
	return 0;
}

/*
 * Before it starts a CPU a kernel writes into CMOS what the firmware is to do
 * with a CPU that comes out of a reset. That is for CPUs older than any that
 * runs this, and the ports are the other kernel's.
 */
static void keep_off_cmos(void)
{
	warm_reset = *twin_symbols.warm_reset;
	WRITE_ONCE(*twin_symbols.warm_reset, 0);
}

static void give_cmos_back(void)
{
	if (twin.was_secondary)
		WRITE_ONCE(*twin_symbols.warm_reset, warm_reset);
}

int twin_cpu_init(void)
{
	struct twin_notes notes = {};
	u64 base;
	int state;

	if (twin.was_secondary) {
		if (!twin_notes_read(&notes) && notes.boot_apic_known) {
			boot_apic_known = true;
			boot_apic_id = notes.boot_apic_id;
		}
	} else if (!twin_rdmsr_on_cpu(0, MSR_IA32_APICBASE, &base) &&
		   base & MSR_IA32_APICBASE_BSP) {
		boot_apic_known = true;
		boot_apic_id = cpu_physical_id(0);
	}
	if (twin.was_secondary) {
		keep_off_cmos();
		if (boot_apic_known) {
			state = twin_home_init(notes.boot_home, boot_apic_id);
			if (state) {
				give_cmos_back();
				return state;
			}
		}
	}
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "twin:prepare",
					  prepare, NULL);
	if (state < 0) {
		twin_home_exit();
		give_cmos_back();
		return state;
	}
	prepare_state = state;
	return 0;
}

void twin_cpu_exit(void)
{
	cpuhp_remove_state_nocalls(prepare_state);
	twin_home_exit();
	give_cmos_back();
}
