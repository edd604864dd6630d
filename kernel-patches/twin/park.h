/* SPDX-License-Identifier: GPL-2.0 */
/* Where things are in the parking area; for park.c and park_code.S. */
#ifndef _TWIN_PARK_H
#define _TWIN_PARK_H

/* In the first page, behind the code; the stack grows down from its end. */
#define PARK_GDT	0x800
#define PARK_GDTR	0x840
#define PARK_IDTR	0x850

#define PARK_GDT_ENTRIES 8

/* What stays set in CR4: PAE, MCE, LA57, VMXE. */
#define PARK_CR4	0x3060

#ifndef __ASSEMBLY__
extern const u8 twin_park_code[], twin_park_code_end[], twin_park_return[];
extern const u8 twin_park_machine_check[], twin_park_stop[];
#endif

#endif /* _TWIN_PARK_H */
