// SPDX-License-Identifier: GPL-2.0
/*
 * A twin's ACPI tables describe a machine without power management registers.
 * A told it the register and value that switch the machine off; they are used
 * only once no other kernel runs on it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/acpi.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/irqflags.h>

#include "twin_internal.h"

/* PM1a_CNT bits, ACPI specification 4.8.3.2.1. */
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_ENABLE	BIT(13)

static u16 off_port, off_value;
static bool hooked;

static void switch_off(void)
{
	if (twin.role == TWIN_ROLE_SECONDARY &&
	    READ_ONCE(twin.shared->parked) != 1) {
		pr_emerg("the other kernel still runs: halting this one only\n");
		local_irq_disable();
		for (;;)
			native_halt();	/* until the other one takes the CPU */
	}
	outw(off_value, off_port);
}

#if TWIN_SYS_OFF
static struct sys_off_handler *handler;

static int sys_off(struct sys_off_data *data)
{
	switch_off();
	return NOTIFY_DONE;
}

static int hook(void)
{
	handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF,
					   SYS_OFF_PRIO_FIRMWARE, sys_off, NULL);
	return PTR_ERR_OR_ZERO(handler);
}

static void unhook(void)
{
	unregister_sys_off_handler(handler);
}
#else
static int hook(void)
{
	if (pm_power_off)
		return -EBUSY;
	pm_power_off = switch_off;
	return 0;
}

static void unhook(void)
{
	if (pm_power_off == switch_off)
		pm_power_off = NULL;
}
#endif

/* For the next kernel: what this one was told, or what its ACPI tables say. */
void twin_poweroff_note(struct twin_notes *notes)
{
	WRITE_ONCE(notes->poweroff_value, off_value);
	WRITE_ONCE(notes->poweroff_port, off_port);
}

static void find_in_tables(struct twin_notes *notes)
{
	u8 type_a, type_b;

	if (acpi_disabled || acpi_gbl_FADT.flags & ACPI_FADT_HW_REDUCED ||
	    ACPI_FAILURE(acpi_get_sleep_type_data(ACPI_STATE_S5, &type_a,
						  &type_b)))
		return;
	notes->poweroff_port = acpi_gbl_FADT.pm1a_control_block;
	notes->poweroff_value = type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE;
}

/* A twin with @port 0 does as A's module noted, if it did. */
int twin_poweroff_init(unsigned int port, unsigned int value)
{
	struct twin_notes notes = {
		.poweroff_port = port,
		.poweroff_value = value,
	};
	int err;

	if (!twin.was_secondary)
		find_in_tables(&notes);
	else if (!port && twin_notes_read(&notes))
		return 0;
	if (notes.poweroff_port > U16_MAX || notes.poweroff_value > U16_MAX) {
		pr_err("poweroff_port=%#x poweroff_value=%#x: both have 16 bits\n",
		       notes.poweroff_port, notes.poweroff_value);
		return -EINVAL;
	}
	off_port = notes.poweroff_port;
	off_value = notes.poweroff_value;
	if (!off_port || !twin.was_secondary)
		return 0;
	err = hook();
	hooked = !err;
	return err;
}

void twin_poweroff_exit(void)
{
	if (hooked)
		unhook();
}
