// SPDX-License-Identifier: GPL-2.0
/*
 * A twin's ACPI tables describe a machine without power management registers.
 * A told it the register and value that switch the machine off; they are used
 * only once no other kernel runs on it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/io.h>
#include <linux/irqflags.h>

#include "twin_internal.h"

static u16 off_port, off_value;

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

/* @port 0: there is none. */
int twin_poweroff_init(unsigned int port, unsigned int value)
{
	if (!port)
		return 0;
	if (port > U16_MAX || value > U16_MAX) {
		pr_err("poweroff_port=%#x poweroff_value=%#x: both have 16 bits\n",
		       port, value);
		return -EINVAL;
	}
	off_port = port;
	off_value = value;
	return hook();
}

void twin_poweroff_exit(void)
{
	if (off_port)
		unhook();
}
