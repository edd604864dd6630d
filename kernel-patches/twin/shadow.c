// SPDX-License-Identifier: GPL-2.0
/*
 * Enumerating a bus whose functions the other kernel still drives, so that only
 * their drivers' part is left for the moment when they come. Enumeration writes
 * to configuration space, above all to find the size of base address registers;
 * a function must not see that while it works. So writes go into a shadow, from
 * which they are read back, until the functions are this kernel's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "twin_internal.h"

#define WORDS_MAX 4096
#define BARS_MAX 512

/* A name that no driver has. */
#define NOT_YET "twin-prepared"

struct word {
	u32 address;		/* of the function, as in struct twin_bar */
	u32 reg;
	u32 value;
	u32 written;		/* mask */
};

static struct {
	raw_spinlock_t lock;	/* guards the words: config accesses hold raw locks */
	bool active;
	u32 first_bus, last_bus;
	const struct pci_raw_ops *ops, *ext_ops;
	const struct twin_bar *bars;
	unsigned int bar_count;
	struct word *words;
	unsigned int count;
	bool full;
} shadow = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(shadow.lock),
};

static bool covers(unsigned int domain, unsigned int bus)
{
	return shadow.active && !domain && bus >= shadow.first_bus &&
	       bus <= shadow.last_bus;
}

static const struct pci_raw_ops *real(u32 reg)
{
	return reg < PCI_CFG_SPACE_SIZE ? shadow.ops : shadow.ext_ops;
}

static int read_real(u32 address, u32 reg, u32 *value)
{
	return real(reg)->read(0, address >> 8, address & 0xff, reg, 4, value);
}

static struct word *find_word(u32 address, u32 reg)
{
	unsigned int i;

	for (i = 0; i < shadow.count; i++)
		if (shadow.words[i].address == address &&
		    shadow.words[i].reg == reg)
			return &shadow.words[i];
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
static u32 bar_answer(const struct word *word, u32 original)
{
	const struct twin_bar *bar;
	u64 mask;

	for (bar = shadow.bars; bar < shadow.bars + shadow.bar_count; bar++) {
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

static int shadow_read(unsigned int domain, unsigned int bus,
		       unsigned int devfn, int reg, int len, u32 *value)
{
	u32 address = bus << 8 | devfn;
	u32 answer;
	struct word *word;
	unsigned long flags;
	int err;

	if (!covers(domain, bus))
		return real(reg)->read(domain, bus, devfn, reg, len, value);
	err = read_real(address, reg & ~3, &answer);
	if (err)
		return err;
	raw_spin_lock_irqsave(&shadow.lock, flags);
	word = find_word(address, reg & ~3);
	if (word && is_bar(address, word->reg))
		answer = bar_answer(word, answer);
	else if (word)
		answer = (answer & ~word->written) | (word->value & word->written);
	raw_spin_unlock_irqrestore(&shadow.lock, flags);
	*value = answer >> 8 * (reg & 3) & width_mask(len);
	return 0;
}

static int shadow_write(unsigned int domain, unsigned int bus,
			unsigned int devfn, int reg, int len, u32 value)
{
	u32 address = bus << 8 | devfn;
	unsigned int shift = 8 * (reg & 3);
	u32 mask = width_mask(len) << shift;
	struct word *word;
	unsigned long flags;

	if (!covers(domain, bus))
		return real(reg)->write(domain, bus, devfn, reg, len, value);
	/* Its upper half is written to clear bits, and is not what is read. */
	if ((reg & ~3) == PCI_COMMAND)
		mask &= 0xffff;
	raw_spin_lock_irqsave(&shadow.lock, flags);
	word = find_word(address, reg & ~3);
	if (!word && shadow.count < WORDS_MAX) {
		word = &shadow.words[shadow.count++];
		word->address = address;
		word->reg = reg & ~3;
	}
	if (word) {
		word->value = (word->value & ~mask) | (value << shift & mask);
		word->written |= mask;
	} else {
		shadow.full = true;
	}
	raw_spin_unlock_irqrestore(&shadow.lock, flags);
	return 0;
}

static const struct pci_raw_ops shadow_ops = {
	.read = shadow_read,
	.write = shadow_write,
};

static void begin(u32 first_bus, u32 last_bus)
{
	shadow.first_bus = first_bus;
	shadow.last_bus = last_bus;
	shadow.count = 0;
	shadow.full = false;
	shadow.ops = *twin_symbols.raw_pci_ops;
	shadow.ext_ops = *twin_symbols.raw_pci_ext_ops;
	shadow.active = true;
	/* Without this pointer the kernel sees no more than 256 bytes. */
	WRITE_ONCE(*twin_symbols.raw_pci_ops, &shadow_ops);
	if (shadow.ext_ops)
		WRITE_ONCE(*twin_symbols.raw_pci_ext_ops, &shadow_ops);
}

static void end(void)
{
	WRITE_ONCE(*twin_symbols.raw_pci_ops, shadow.ops);
	WRITE_ONCE(*twin_symbols.raw_pci_ext_ops, shadow.ext_ops);
	shadow.active = false;
	kfree(shadow.bars);
	kvfree(shadow.words);
	shadow.bars = NULL;
	shadow.words = NULL;
}

/* What was not written is not touched: the rest of the word may mean something. */
static void write_back(const struct word *word)
{
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
			real(word->reg)->write(0, bus, devfn, word->reg + offset,
					       len, value >> 8 * offset &
							    width_mask(len));
	}
}

static int on_added(struct notifier_block *block, unsigned long action,
		    void *data)
{
	struct pci_dev *function = to_pci_dev(data);

	if (action == BUS_NOTIFY_ADD_DEVICE &&
	    covers(pci_domain_nr(function->bus), function->bus->number) &&
	    twin_driver_override(function, NOT_YET))
		pci_err(function, "cannot be kept from drivers\n");
	return NOTIFY_DONE;
}

static struct notifier_block added_block = { .notifier_call = on_added };

bool twin_shadow_active(void)
{
	return shadow.active;
}

/* Whether a bus of segment 0 is enumerated, but still the other kernel's. */
bool twin_shadow_covers(unsigned int bus)
{
	return covers(0, bus);
}

/* What reaches all of configuration space, shadow or not. */
const struct pci_raw_ops *twin_shadow_real_ops(void)
{
	return shadow.active ? shadow.ext_ops : *twin_symbols.raw_pci_ext_ops;
}

/*
 * Called with twin.lock held. @bars: where on these buses which addresses are
 * decoded. On success the shadow is on until twin_shadow_write_back().
 */
int twin_shadow_enumerate(u32 first_bus, u32 last_bus,
			  const struct twin_bar __user *bars, u32 bar_count,
			  int (*enumerate)(void *table), void *table)
{
	int err;

	if (shadow.active)
		return -EBUSY;
	if (!first_bus || last_bus < first_bus || last_bus > 0xff ||
	    bar_count > BARS_MAX)
		return -EINVAL;
	shadow.bars = memdup_user(bars, bar_count * sizeof(*bars));
	if (IS_ERR(shadow.bars)) {
		err = PTR_ERR(shadow.bars);
		shadow.bars = NULL;
		return err;
	}
	shadow.bar_count = bar_count;
	shadow.words = kvcalloc(WORDS_MAX, sizeof(*shadow.words), GFP_KERNEL);
	if (!shadow.words) {
		kfree(shadow.bars);
		shadow.bars = NULL;
		return -ENOMEM;
	}
	err = bus_register_notifier(&pci_bus_type, &added_block);
	if (err) {
		kvfree(shadow.words);
		kfree(shadow.bars);
		shadow.bars = NULL;
		return err;
	}
	begin(first_bus, last_bus);
	err = enumerate(table);
	bus_unregister_notifier(&pci_bus_type, &added_block);
	if (!err && shadow.full)
		err = -ENOSPC;
	if (err)
		end();
	return err;
}

/*
 * Called with twin.lock held, when the other kernel has let go of the buses:
 * does what enumeration had to leave undone, and lets drivers have the functions.
 */
void twin_shadow_write_back(void)
{
	struct pci_dev *function = NULL;
	unsigned int i;

	for (i = 0; i < shadow.count; i++)
		write_back(&shadow.words[i]);
	end();
	for_each_pci_dev(function) {
		if (pci_domain_nr(function->bus) ||
		    function->bus->number < shadow.first_bus ||
		    function->bus->number > shadow.last_bus)
			continue;
		if (twin_driver_override(function, "") ||
		    device_attach(&function->dev) < 0)
			pci_err(function, "no driver could take it\n");
	}
}

void twin_shadow_exit(void)
{
	if (shadow.active)
		end();
}
