// SPDX-License-Identifier: GPL-2.0
/*
 * What configuration space looks like in a shadow: as the function has it, but
 * for what was written. A base address register answers with what it decodes.
 */
#include <linux/pci.h>

#include "shadow.h"

static int read_real(u32 address, u32 reg, u32 *value)
{
	return twin_shadow_real(0, reg)->read(0, address >> 8, address & 0xff,
					      reg, 4, value);
}

static struct shadow_word *find_word(const struct shadow *shadow, u32 address,
				     u32 reg)
{
	unsigned int i;

	for (i = 0; i < shadow->count; i++)
		if (shadow->words[i].address == address &&
		    shadow->words[i].reg == reg)
			return &shadow->words[i];
	return NULL;
}

static bool is_bar(u32 address, u32 reg)
{
	u32 header;

	if (reg < PCI_BASE_ADDRESS_0 || reg > PCI_ROM_ADDRESS1 ||
	    read_real(address, PCI_CACHE_LINE_SIZE, &header))
		return false;
	/* The third byte is the header type. */
	if ((header >> 16 & 0x7f) == PCI_HEADER_TYPE_NORMAL)
		return reg <= PCI_BASE_ADDRESS_5 || reg == PCI_ROM_ADDRESS;
	return reg <= PCI_BASE_ADDRESS_1 || reg == PCI_ROM_ADDRESS1;
}

/* What a base address register answers after @written: PCI Local Bus 3.0, 6.2.5.1. */
static u32 bar_answer(const struct shadow *shadow,
		      const struct shadow_word *word, u32 original)
{
	const struct twin_bar *bar;
	u64 mask;

	for (bar = shadow->bars; bar < shadow->bars + shadow->bar_count; bar++) {
		if (bar->address != word->address)
			continue;
		mask = ~(bar->bytes - 1);
		if (bar->reg == word->reg) {
			u32 flags = original & ~PCI_BASE_ADDRESS_MEM_MASK;

			if (word->reg >= PCI_ROM_ADDRESS)
				flags = word->value & PCI_ROM_ADDRESS_ENABLE;
			else if (original & PCI_BASE_ADDRESS_SPACE_IO)
				flags = original & ~PCI_BASE_ADDRESS_IO_MASK;
			return (word->value & lower_32_bits(mask)) | flags;
		}
		if (bar->wide && bar->reg + 4 == word->reg)
			return word->value & upper_32_bits(mask);
	}
	return 0;
}

static u32 width_mask(int len)
{
	return len == 4 ? ~0U : (1U << 8 * len) - 1;
}

int twin_shadow_words_read(const struct shadow *shadow, u32 address, int reg,
			   int len, u32 *value)
{
	struct shadow_word *word = find_word(shadow, address, reg & ~3);
	u32 answer;
	int err = read_real(address, reg & ~3, &answer);

	if (err)
		return err;
	if (word && is_bar(address, word->reg))
		answer = bar_answer(shadow, word, answer);
	else if (word)
		answer = (answer & ~word->written) | (word->value & word->written);
	*value = answer >> 8 * (reg & 3) & width_mask(len);
	return 0;
}

void twin_shadow_words_write(struct shadow *shadow, u32 address, int reg, int len,
			     u32 value)
{
	struct shadow_word *word = find_word(shadow, address, reg & ~3);
	unsigned int shift = 8 * (reg & 3);
	u32 mask = width_mask(len) << shift;

	/* Its upper half is written to clear bits, and is not what is read. */
	if ((reg & ~3) == PCI_COMMAND)
		mask &= 0xffff;
	if (!word && shadow->count < SHADOW_WORDS_MAX) {
		word = &shadow->words[shadow->count++];
		word->address = address;
		word->reg = reg & ~3;
	}
	if (word) {
		word->value = (word->value & ~mask) | (value << shift & mask);
		word->written |= mask;
	} else {
		shadow->full = true;
	}
}

/* What was not written is not touched: the rest of the word may mean something. */
static void write_back(const struct shadow_word *word)
{
	const struct pci_raw_ops *ops = twin_shadow_real(0, word->reg);
	unsigned int bus = word->address >> 8, devfn = word->address & 0xff;
	u32 value = word->value;
	int len, offset;

	/* The driver says when the function may write to memory. */
	if (word->reg == PCI_COMMAND)
		value &= ~PCI_COMMAND_MASTER;
	for (offset = 0; offset < 4; offset += len ?: 1) {
		len = 4;
		while (len && (offset % len ||
			       ~word->written >> 8 * offset & width_mask(len)))
			len /= 2;
		if (len)
			ops->write(0, bus, devfn, word->reg + offset, len,
				   value >> 8 * offset & width_mask(len));
	}
}

void twin_shadow_words_write_back(const struct shadow *shadow)
{
	unsigned int i;

	for (i = 0; i < shadow->count; i++)
		write_back(&shadow->words[i]);
}
