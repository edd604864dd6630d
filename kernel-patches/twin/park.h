/* SPDX-License-Identifier: GPL-2.0 */
/* Where things are in the parking area; for park.c, home.c and park_code.S. */
#ifndef _TWIN_PARK_H
#define _TWIN_PARK_H

/* In the first page, behind the code; the stack grows down from its end. */
#define PARK_GDT	0x800
#define PARK_GDTR	0x840
#define PARK_IDTR	0x850
#define PARK_REAL_IDTR	0x860

/*
 * The mailbox: a CPU waits here (written by it alone), it is to go (written by
 * the kernel that wants it, with an NMI after it), and where to, in real mode.
 */
#define PARK_STATE	0x880
#define PARK_COMMAND	0x884
#define PARK_TARGET	0x888	/* offset, segment: 16 bits each */

#define PARK_WAITS	1	/* zero: nobody is here, or left */
#define PARK_GO		1

#define PARK_GDT_ENTRIES 8
#define PARK_CS16	0x20	/* based at this page, so that 16 bits reach it */
#define PARK_DS16	0x28

/* What stays set in CR4: PAE, MCE, LA57, VMXE. */
#define PARK_CR4	0x3060

#ifndef __ASSEMBLY__
extern const u8 twin_park_code[], twin_park_code_end[], twin_park_return[];
extern const u8 twin_park_nmi[], twin_park_machine_check[], twin_park_stop[];
#endif

#endif /* _TWIN_PARK_H */
