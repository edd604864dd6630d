// SPDX-License-Identifier: GPL-2.0
/*
 * A's end. INIT would reset the machine's boot CPU on real hardware, so it waits,
 * halted, in a loop that needs nothing of A: code, stack, descriptor tables and
 * page tables are in the shared region, identity mapped. Once @parked is set, all
 * of A's memory is the other kernel's, which gets the CPU by the mailbox beside
 * the loop: home.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <asm/desc_defs.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "twin_internal.h"
#include "park.h"

/* The parking area: a page each for code and IDT, page tables, the notes. */
#define PAGE_CODE	0
#define PAGE_IDT	1
#define PAGE_TABLES	2
#define PAGES		(TWIN_NOTES_OFFSET / PAGE_SIZE)

#define TABLE_FLAGS	(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

static u64 *table_at(struct twin_parking *parking, phys_addr_t table)
{
	return (u64 *)(parking->area + (table - parking->start));
}

static phys_addr_t new_table(struct twin_parking *parking)
{
	if (parking->used == PAGES)
		return 0;
	return parking->start + PAGE_SIZE * parking->used++;
}

/* Make @pa appear at the virtual address @pa. */
static int identity_map(struct twin_parking *parking, phys_addr_t pa)
{
	int shift = native_read_cr4() & X86_CR4_LA57 ? 48 : 39;
	phys_addr_t table = parking->top;

	for (; shift > PAGE_SHIFT; shift -= 9) {
		u64 *entry = table_at(parking, table) + (pa >> shift) % 512;

		if (!*entry) {
			phys_addr_t lower = new_table(parking);

			if (!lower)
				return -ENOSPC;
			*entry = lower | TABLE_FLAGS;
		}
		table = *entry & PTE_PFN_MASK;
	}
	table_at(parking, table)[(pa >> PAGE_SHIFT) % 512] = pa | TABLE_FLAGS;
	return 0;
}

static int build_tables(struct twin_parking *parking, phys_addr_t flag)
{
	phys_addr_t code = parking->start + PAGE_SIZE * PAGE_CODE;
	u64 *kernel = __va(read_cr3_pa()), *transit;
	int err;

	parking->used = PAGE_TABLES;
	parking->top = new_table(parking);
	parking->transit = new_table(parking);
	err = identity_map(parking, flag & PAGE_MASK);
	if (!err)
		err = identity_map(parking, code);
	if (!err)
		err = identity_map(parking, parking->start + PAGE_SIZE * PAGE_IDT);
	if (err)
		return err;
	transit = table_at(parking, parking->transit);
	memcpy(transit, table_at(parking, parking->top), PAGE_SIZE / 2);
	memcpy(transit + 256, kernel + 256, PAGE_SIZE / 2);
	return 0;
}

static void set_pointer(u8 *at, u16 limit, u64 base)
{
	memcpy(at, &limit, sizeof(limit));
	memcpy(at + sizeof(limit), &base, sizeof(base));
}

static void set_gate(u64 *gate, u64 address)
{
	/* present interrupt gate on the current stack */
	gate[0] = (address & 0xffff) | (u64)__KERNEL_CS << 16 |
		  0x8e00ULL << 32 | (address & 0xffff0000) << 32;
	gate[1] = address >> 32;
}

static bool returns(int vector)
{
	return vector >= NUM_EXCEPTION_VECTORS;
}

static void build_descriptors(struct twin_parking *parking)
{
	u64 code = parking->start + PAGE_SIZE * PAGE_CODE;
	u64 idt = parking->start + PAGE_SIZE * PAGE_IDT;
	u8 *page = parking->area + PAGE_SIZE * PAGE_CODE;
	u64 *gates = (u64 *)(parking->area + PAGE_SIZE * PAGE_IDT);
	u64 *gdt = (u64 *)(page + PARK_GDT);
	int vector;

	BUILD_BUG_ON(PARK_GDT_ENTRIES * 8 > PARK_GDTR - PARK_GDT);
	memcpy(page, twin_park_code, twin_park_code_end - twin_park_code);
	gdt[__KERNEL32_CS / 8] = 0x00cf9b000000ffffULL;
	gdt[__KERNEL_CS / 8] = 0x00af9b000000ffffULL;
	gdt[__KERNEL_DS / 8] = 0x00cf93000000ffffULL;
	gdt[PARK_CS16 / 8] = 0x00009b000000ffffULL | (code & 0xffffff) << 16 |
			     (code & 0xff000000) << 32;
	gdt[PARK_DS16 / 8] = 0x000093000000ffffULL;
	set_pointer(page + PARK_GDTR, PARK_GDT_ENTRIES * 8 - 1, code + PARK_GDT);
	set_pointer(page + PARK_IDTR, PAGE_SIZE - 1, idt);
	set_pointer(page + PARK_REAL_IDTR, 0xffff, 0);
	for (vector = 0; vector < 256; vector++) {
		const u8 *handler = twin_park_stop;

		if (vector == X86_TRAP_NMI)
			handler = twin_park_nmi;
		else if (vector == X86_TRAP_MC)
			handler = twin_park_machine_check;
		else if (returns(vector))
			handler = twin_park_return;
		set_gate(gates + 2 * vector, code + (handler - twin_park_code));
	}
}

/*
 * Devices that A still drives must not write into memory that is no longer
 * A's. Those without a driver were let go and may be the other kernel's, as
 * may those that are suspended; bridges carry its traffic.
 */
static void stop_devices(void)
{
	struct pci_dev *device = NULL;

	for_each_pci_dev(device)
		if (device->driver && !pci_is_bridge(device) &&
		    !twin_pci_is_suspended(device))
			pci_clear_master(device);
}

static struct twin_parking parking;

/*
 * The loop, its tables and an empty mailbox, in the parking area at @start that
 * is mapped at @area; @flag: of a word of physical memory that it sets. Nothing
 * is allocated and no lock is taken: a kernel that panics does this, too.
 */
int twin_parking_build(struct twin_parking *parking, phys_addr_t start, u8 *area,
		       phys_addr_t flag)
{
	int err;

	parking->start = start;
	parking->area = area;
	memset(area, 0, PAGES * PAGE_SIZE);
	err = build_tables(parking, flag);
	if (err)
		return err;
	build_descriptors(parking);
	return 0;
}

/* The same in the shared region. */
int twin_park_build(void)
{
	struct twin_layout layout;
	int err = twin_layout_read(&layout);

	if (err)
		return err;
	return twin_parking_build(&parking,
				  twin.shared_start + layout.parking_offset,
				  (u8 *)twin.shared + layout.parking_offset,
				  twin.shared_start);
}

/*
 * Put this CPU into the loop that twin_parking_build() made; @flag: the word that
 * becomes 1 then. It does not return; objtool may think so, for it looks at one
 * file at a time or at all.
 */
void twin_parking_enter(struct twin_parking *parking, phys_addr_t flag)
{
	phys_addr_t code = parking->start + PAGE_SIZE * PAGE_CODE;

	local_irq_disable();
	static_call(twin_disable_local_apic)();
	BUILD_BUG_ON(PARK_CR4 != (X86_CR4_PAE | X86_CR4_MCE | X86_CR4_LA57 |
				  X86_CR4_VMXE));
	native_write_cr3(parking->transit);
	asm volatile(ANNOTATE_RETPOLINE_SAFE "\n\tcall *%[code]"
		     :: [code] "a" (code), "D" (flag), "S" (code),
			"d" (parking->top)
		     : "memory");
}

/* @flag_offset: of the word in the header of the shared region. */
void twin_park_here(size_t flag_offset)
{
	twin_parking_enter(&parking, twin.shared_start + flag_offset);
}

/* Called with twin.lock held. Does not return if it succeeds. */
int twin_park(void)
{
	int err;

	if (twin.role != TWIN_ROLE_PRIMARY)
		return -EOPNOTSUPP;
	if (twin_state() != TWIN_STATE_RUNNING)
		return -ENXIO;
	/* No CPU can come or go; this one is not left from here on. */
	cpus_read_lock();
	if (num_online_cpus() != 1) {
		cpus_read_unlock();
		return -EBUSY;
	}
	err = twin_home_wait();
	if (!err)
		err = twin_park_build();
	if (err) {
		cpus_read_unlock();
		return err == -EINVAL ? -ENXIO : err;
	}
	pr_info("parking at %pa\n", &parking.start);

	stop_devices();
	local_irq_disable();
	static_call(twin_clear_io_apic)();
	twin_park_here(offsetof(struct twin_shared, parked));
	return 0;
}
