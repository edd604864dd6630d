// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts between the kernels. The doorbell is the vector that the kernel
 * keeps for platforms, sent to the one CPU that the other side named. Broadcasts
 * by shorthand would reach the other kernel's CPUs: they are kept off.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/rcupdate.h>
#include <asm/apic.h>
#include <asm/irq_vectors.h>

#include "twin_internal.h"

/* Of a CPU that this kernel may address with xAPIC's eight bits. */
#define XAPIC_MAX 0xfeU

static void doorbell_rang(void)
{
	if (twin_other_panicked())
		WRITE_ONCE(twin.other_stopped, true);
	wake_up_all(&twin.wait);
}

static void send_xapic(u32 apic_id, u32 what)
{
	unsigned long flags;

	/* ICR2 and ICR belong together: no interrupt may come between. */
	local_irq_save(flags);
	while (native_apic_mem_read(APIC_ICR) & APIC_ICR_BUSY)
		cpu_relax();
	native_apic_mem_write(APIC_ICR2, apic_id << 24);
	native_apic_mem_write(APIC_ICR, APIC_DEST_PHYSICAL | what);
	local_irq_restore(flags);
}

static void send_x2apic(u32 apic_id, u32 what)
{
	/* The register write orders nothing; the doorbell's count must be seen. */
	asm volatile("mfence; lfence" ::: "memory");
	native_x2apic_icr_write(APIC_DEST_PHYSICAL | what, apic_id);
}

static void send(u32 apic_id, u32 what)
{
	if (x2apic_enabled())
		send_x2apic(apic_id, what);
	else if (apic_id <= XAPIC_MAX)
		send_xapic(apic_id, what);
}

/* Called with twin.shared_lock held. */
int twin_doorbell(void)
{
	u32 other = twin_other_side(), apic_id;
	struct twin_layout layout;

	if (twin_layout_read(&layout))
		return -ENXIO;
	apic_id = READ_ONCE(twin.shared->apic_id[other]);
	if (apic_id == TWIN_NO_APIC || !READ_ONCE(twin.shared->heartbeat[other]))
		return -ENOTCONN;
	if (!x2apic_enabled() && apic_id > XAPIC_MAX)
		return -ENOTCONN;
	atomic64_inc((atomic64_t *)&twin.shared->doorbell[other]);
	send(apic_id, APIC_DM_FIXED | X86_PLATFORM_IPI_VECTOR);
	return 0;
}

/*
 * Without a lock, by a kernel that panics; its local APIC is switched off by
 * then, and sends all the same.
 */
void twin_doorbell_last(void)
{
	u32 apic_id = READ_ONCE(twin.shared->apic_id[twin_other_side()]);

	if (apic_id != TWIN_NO_APIC)
		send(apic_id, APIC_DM_FIXED | X86_PLATFORM_IPI_VECTOR);
}

/* To a CPU of this kernel. */
void twin_nmi_send(u32 apic_id)
{
	send(apic_id, APIC_DM_NMI);
}

/* Stops a CPU, whatever it does, until it is started anew. */
void twin_init_send(u32 apic_id)
{
	send(apic_id, APIC_DM_INIT | APIC_INT_LEVELTRIG | APIC_INT_ASSERT);
	send(apic_id, APIC_DM_INIT | APIC_INT_LEVELTRIG);
}

/*
 * How often this side's doorbell was rung since the region exists. Without a
 * lock, for wait conditions: a region given back meanwhile is still mapped.
 */
u64 twin_doorbell_count(void)
{
	struct twin_shared *shared = READ_ONCE(twin.shared);

	return shared ? READ_ONCE(shared->doorbell[twin.side]) : 0;
}

/*
 * apic_smt_update() allows shorthands only once every present CPU has been
 * booted. The CPU that starts a twin counts as not booted until the twin is
 * over, also when it is back here already: others may still be the twin's.
 * NMIs of a panic follow the same switch.
 */
void twin_broadcast_forbid(unsigned int cpu)
{
	cpumask_clear_cpu(cpu, twin_symbols.cpus_booted_once_mask);
	static_call(twin_apic_smt_update)();
}

void twin_broadcast_allow(unsigned int cpu)
{
	cpumask_set_cpu(cpu, twin_symbols.cpus_booted_once_mask);
	static_call(twin_apic_smt_update)();
}

int twin_ipi_init(void)
{
	if (cmpxchg(twin_symbols.platform_ipi_callback, NULL, doorbell_rang)) {
		pr_err("the platform's interrupt vector is in use\n");
		return -EBUSY;
	}
	return 0;
}

void twin_ipi_exit(void)
{
	WRITE_ONCE(*twin_symbols.platform_ipi_callback, NULL);
	synchronize_rcu();	/* interrupt handlers that saw it are done */
}
