// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPUs this kernel may start. Starting one is an INIT, whatever it runs:
 * as long as another kernel owns the machine that could be one of its CPUs, and
 * the machine's boot CPU, on which the firmware's kernel parked, would reset
 * real hardware.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/smp.h>

#include "twin_internal.h"

static bool boot_apic_known;
static u32 boot_apic_id;
static enum cpuhp_state prepare_state;

/* Of the machine's boot CPU; where nobody knows it, of this kernel's. */
u32 twin_boot_apic_id(void)
{
	return boot_apic_known ? boot_apic_id : cpu_physical_id(0);
}

/* For the next kernel. */
void twin_boot_cpu_note(struct twin_notes *notes)
{
	WRITE_ONCE(notes->boot_apic_id, boot_apic_id);
	WRITE_ONCE(notes->boot_apic_known, boot_apic_known);
}

static int may_start(unsigned int cpu)
{
	if (twin.role == TWIN_ROLE_SECONDARY)
		return -EPERM;
	if (boot_apic_known && cpu && cpu_physical_id(cpu) == boot_apic_id)
		return -EPERM;
	return 0;
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
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "twin:prepare",
					  may_start, NULL);
	if (state < 0)
		return state;
	prepare_state = state;
	return 0;
}

void twin_cpu_exit(void)
{
	cpuhp_remove_state_nocalls(prepare_state);
}
