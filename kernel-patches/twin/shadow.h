/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the shadow share: shadow.c and shadow_words.c. */
#ifndef _TWIN_SHADOW_H
#define _TWIN_SHADOW_H

#include <linux/list.h>
#include <linux/types.h>

#include "twin_internal.h"

#define SHADOW_WORDS_MAX 4096

struct shadow_word {
	u32 address;		/* of the function, as in struct twin_bar */
	u32 reg;
	u32 value;
	u32 written;		/* mask */
};

/* A range of buses of segment 0. */
struct shadow {
	struct list_head list;
	u32 first_bus, last_bus;
	const struct acpi_table_header *table;	/* that describes them; ACPICA's */
	const struct twin_bar *bars;
	unsigned int bar_count;
	struct shadow_word *words;
	unsigned int count;
	bool full;
};

/* The kernel's own accesses. */
const struct pci_raw_ops *twin_shadow_real(unsigned int domain, u32 reg);

/* Called with the shadow's list locked. */
int twin_shadow_words_read(const struct shadow *shadow, u32 address, int reg,
			   int len, u32 *value);
void twin_shadow_words_write(struct shadow *shadow, u32 address, int reg, int len,
			     u32 value);
void twin_shadow_words_write_back(const struct shadow *shadow);

#endif /* _TWIN_SHADOW_H */
