// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's boot CPU, in a kernel that was started as a twin. INIT would
 * reset it on real hardware, so it is started and stopped as ACPI's mailbox for
 * multiprocessor wakeup does (ACPI 6.5, 5.2.12.19): while no kernel runs on it, the
 * CPU waits in the parking area of the kernel that the firmware booted, which stays
 * reserved in all that follow. Told by the mailbox there and an NMI, it goes down
 * to real mode by itself and begins where a SIPI would have it begin. A kernel
 * that takes it offline builds the loop anew and sends it back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/smp.h>

#include "park.h"
#include "twin_internal.h"

/* Until a halted CPU has heeded an NMI, or one that runs has come. */
#define ANSWER_US	1000000

static phys_addr_t home;	/* of the parking area, 0: there is none */
static u8 *area;		/* the same, mapped */
static u32 apic_id_of_it;
static twin_wake_fn original_wake;
static void (*original_play_dead)(void);
static bool on_its_way;		/* it has left this kernel and is not there yet */
static struct twin_parking parking;

static u32 *mailbox(size_t offset)
{
	return (u32 *)(area + offset);
}

static bool waits(void)
{
	return READ_ONCE(*mailbox(PARK_STATE)) == PARK_WAITS;
}

static bool await(bool waiting)
{
	unsigned int us;

	for (us = 0; us < ANSWER_US; us++) {
		if (waits() == waiting)
			return true;
		udelay(1);
	}
	return false;
}

/* Its number where it runs for this kernel, else nr_cpu_ids. */
unsigned int twin_home_cpu(void)
{
	unsigned int cpu;

	if (home)
		for_each_online_cpu(cpu)
			if (cpu && cpu_physical_id(cpu) == apic_id_of_it)
				return cpu;
	return nr_cpu_ids;
}

/* Whether this kernel may have it, or has it. */
bool twin_home_open(void)
{
	return home && twin.role == TWIN_ROLE_PRIMARY &&
	       (waits() || twin_home_cpu() < nr_cpu_ids);
}

u64 twin_home_address(void)
{
	return home;
}

/* Instead of INIT and SIPI. @start: of the real-mode code, a page below 1 MiB. */
static int wake(TWIN_WAKE_ARGUMENTS)
{
	if (!waits())
		return -EIO;
	WRITE_ONCE(*mailbox(PARK_TARGET), (u32)(start >> 4) << 16);
	/* After the target. */
	smp_store_release(mailbox(PARK_COMMAND), PARK_GO);
	mb();		/* before the NMI */
	twin_nmi_send(apic_id);
	if (await(false))
		return 0;
	WRITE_ONCE(*mailbox(PARK_COMMAND), 0);
	pr_err("the machine's boot CPU does not answer\n");
	return -EIO;
}

/* How the CPU that is about to be started is started. */
void twin_home_wake_by_mailbox(bool by_mailbox)
{
	if (home)
		WRITE_ONCE(*twin_symbols.wake, by_mailbox ? wake : original_wake);
}

/* On the CPU that goes offline, interrupts off. */
static void play_dead_at_home(void)
{
	phys_addr_t flag = home + PARK_STATE;

	if (cpu_physical_id(raw_smp_processor_id()) == apic_id_of_it) {
		static_call_cond(twin_idle_task_exit)();
		if (!twin_parking_build(&parking, home, area, flag)) {
			WRITE_ONCE(on_its_way, true);
			static_call(twin_report_dead)();
			twin_parking_enter(&parking, flag);
		}
	}
	original_play_dead();
}

/*
 * Before this kernel parks: as long as the CPU is on its way it is in this
 * kernel's memory. One that was never started here is none of its business.
 */
int twin_home_wait(void)
{
	if (!READ_ONCE(on_its_way) || await(true))
		return 0;
	pr_err("the machine's boot CPU does not park\n");
	return -EBUSY;
}

/* By a kernel that panics: build the loop, and have the CPU come. */
bool twin_home_call(void)
{
	if (twin_parking_build(&parking, home, area, twin.shared_start))
		return false;
	twin_nmi_send(apic_id_of_it);
	return await(true);
}

/*
 * By a kernel that panics, on that CPU. @flag_offset: of the word in the header of
 * the shared region that is to say so, or 0, for the mailbox alone.
 */
void twin_home_leave(size_t flag_offset)
{
	phys_addr_t flag = home + PARK_STATE;

	if (flag_offset) {
		flag = twin.shared_start + flag_offset;
		if (twin_parking_build(&parking, home, area, flag))
			return;
	}
	twin_parking_enter(&parking, flag);
}

/* @address: as the other kernel noted it. Without one the CPU stays parked. */
int twin_home_init(u64 address, u32 apic_id)
{
	if (!address || !PAGE_ALIGNED(address) || address >> 32 ||
	    (address + TWIN_PARKING_SIZE) >> 32)
		return 0;
	area = memremap(address, TWIN_PARKING_SIZE, MEMREMAP_WB);
	if (!area)
		return -ENOMEM;
	home = address;
	apic_id_of_it = apic_id;
	original_wake = *twin_symbols.wake;
	original_play_dead = *twin_symbols.play_dead;
	/* After what it uses. */
	smp_store_release(twin_symbols.play_dead, play_dead_at_home);
	return 0;
}

void twin_home_exit(void)
{
	if (!home)
		return;
	WRITE_ONCE(*twin_symbols.play_dead, original_play_dead);
	twin_home_wake_by_mailbox(false);
	home = 0;
	memunmap(area);
}
