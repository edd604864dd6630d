// SPDX-License-Identifier: GPL-2.0
/*
 * Enumerating a bus whose functions the other kernel still drives, so that only
 * their drivers' part is left for the moment when they come. Enumeration writes
 * to configuration space, above all to find the size of base address registers;
 * a function must not see that while it works. So writes go into a shadow, from
 * which they are read back, until the functions are this kernel's. There is one
 * for each range of buses that was prepared, which goes when that is taken.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/acpi.h>
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "shadow.h"

#define BARS_MAX 512

/* A name that no driver has. */
#define NOT_YET "twin-prepared"

/*
 * The list changes under twin.lock and, inside that, under this one, which
 * guards the words as well: configuration is accessed from any CPU, with
 * interrupts off. Whoever finds a shadow holds the lock as long as it uses it,
 * so what was taken from the list can be freed.
 */
static DEFINE_RAW_SPINLOCK(shadows_lock);
static LIST_HEAD(shadows);

/* The kernel's own; they stay for who is still in the functions below. */
static const struct pci_raw_ops *own_ops, *own_ext_ops;

static struct shadow *find_shadow(unsigned int domain, unsigned int bus)
{
	struct shadow *shadow;

	if (domain)
		return NULL;
	list_for_each_entry(shadow, &shadows, list)
		if (bus >= shadow->first_bus && bus <= shadow->last_bus)
			return shadow;
	return NULL;
}

const struct pci_raw_ops *twin_shadow_real(unsigned int domain, u32 reg)
{
	return !domain && reg < PCI_CFG_SPACE_SIZE ? own_ops : own_ext_ops;
}

static int shadow_read(unsigned int domain, unsigned int bus,
		       unsigned int devfn, int reg, int len, u32 *value)
{
	const struct pci_raw_ops *real = twin_shadow_real(domain, reg);
	struct shadow *shadow;
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&shadows_lock, flags);
	shadow = find_shadow(domain, bus);
	if (shadow)
		err = twin_shadow_words_read(shadow, bus << 8 | devfn, reg, len,
					     value);
	raw_spin_unlock_irqrestore(&shadows_lock, flags);
	if (shadow)
		return err;
	return real->read(domain, bus, devfn, reg, len, value);
}

static int shadow_write(unsigned int domain, unsigned int bus,
			unsigned int devfn, int reg, int len, u32 value)
{
	const struct pci_raw_ops *real = twin_shadow_real(domain, reg);
	struct shadow *shadow;
	unsigned long flags;

	raw_spin_lock_irqsave(&shadows_lock, flags);
	shadow = find_shadow(domain, bus);
	if (shadow)
		twin_shadow_words_write(shadow, bus << 8 | devfn, reg, len,
					value);
	raw_spin_unlock_irqrestore(&shadows_lock, flags);
	if (shadow)
		return 0;
	return real->write(domain, bus, devfn, reg, len, value);
}

static const struct pci_raw_ops shadow_ops = {
	.read = shadow_read,
	.write = shadow_write,
};

static void begin(struct shadow *shadow)
{
	bool first = list_empty(&shadows);

	raw_spin_lock_irq(&shadows_lock);
	list_add(&shadow->list, &shadows);
	raw_spin_unlock_irq(&shadows_lock);
	if (!first)
		return;
	own_ops = *twin_symbols.raw_pci_ops;
	own_ext_ops = *twin_symbols.raw_pci_ext_ops;
	/* Last: whoever gets there finds the list and the kernel's own. */
	smp_store_release(twin_symbols.raw_pci_ops, &shadow_ops);
	if (!own_ext_ops)
		return;
	/* Likewise. Without it the kernel sees no more than 256 bytes. */
	smp_store_release(twin_symbols.raw_pci_ext_ops, &shadow_ops);
}

static void free_shadow(struct shadow *shadow)
{
	kvfree(shadow->words);
	kfree(shadow->bars);
	kfree(shadow);
}

/* What was taken from the list goes. */
static void end(struct shadow *shadow)
{
	if (list_empty(&shadows)) {
		WRITE_ONCE(*twin_symbols.raw_pci_ops, own_ops);
		WRITE_ONCE(*twin_symbols.raw_pci_ext_ops, own_ext_ops);
	}
	free_shadow(shadow);
}

static void drop(struct shadow *shadow)
{
	raw_spin_lock_irq(&shadows_lock);
	list_del(&shadow->list);
	raw_spin_unlock_irq(&shadows_lock);
	end(shadow);
}

/* Whether a bus of segment 0 is enumerated, but still the other kernel's. */
bool twin_shadow_covers(unsigned int bus)
{
	unsigned long flags;
	bool found;

	raw_spin_lock_irqsave(&shadows_lock, flags);
	found = find_shadow(0, bus);
	raw_spin_unlock_irqrestore(&shadows_lock, flags);
	return found;
}

static int on_added(struct notifier_block *block, unsigned long action,
		    void *data)
{
	struct pci_dev *function = to_pci_dev(data);

	if (action == BUS_NOTIFY_ADD_DEVICE && !pci_domain_nr(function->bus) &&
	    twin_shadow_covers(function->bus->number) &&
	    twin_driver_override(function, NOT_YET))
		pci_err(function, "cannot be kept from drivers\n");
	return NOTIFY_DONE;
}

static struct notifier_block added_block = { .notifier_call = on_added };

/* Called with twin.lock held. */
bool twin_shadow_active(void)
{
	return !list_empty(&shadows);
}

/* What reaches all of configuration space, shadow or not. */
const struct pci_raw_ops *twin_shadow_real_ops(void)
{
	return twin_shadow_active() ? own_ext_ops : *twin_symbols.raw_pci_ext_ops;
}

static int check_buses(u32 first_bus, u32 last_bus)
{
	u32 bus;

	if (!first_bus || last_bus < first_bus || last_bus > 0xff)
		return -EINVAL;
	/* What is prepared, this kernel has enumerated, too. */
	for (bus = first_bus; bus <= last_bus; bus++)
		if (twin_shadow_covers(bus) || pci_find_bus(0, bus))
			return -EBUSY;
	return 0;
}

static struct shadow *make_shadow(const struct twin_bar __user *bars,
				  u32 bar_count)
{
	struct shadow *shadow = kzalloc(sizeof(*shadow), GFP_KERNEL);
	void *copy;

	if (!shadow)
		return ERR_PTR(-ENOMEM);
	copy = memdup_user(bars, bar_count * sizeof(*bars));
	if (IS_ERR(copy)) {
		kfree(shadow);
		return ERR_CAST(copy);
	}
	shadow->bars = copy;
	shadow->bar_count = bar_count;
	shadow->words = kvcalloc(SHADOW_WORDS_MAX, sizeof(*shadow->words), GFP_KERNEL);
	if (!shadow->words) {
		free_shadow(shadow);
		return ERR_PTR(-ENOMEM);
	}
	return shadow;
}

/*
 * Called with twin.lock held. @bars: where on these buses which addresses are
 * decoded. @enumerate keeps @table. On success they are in the shadow until
 * twin_shadow_write_back().
 */
int twin_shadow_enumerate(u32 first_bus, u32 last_bus,
			  const struct twin_bar __user *bars, u32 bar_count,
			  int (*enumerate)(struct acpi_table_header *table),
			  struct acpi_table_header *table)
{
	struct shadow *shadow;
	int err = check_buses(first_bus, last_bus);

	if (err)
		return err;
	if (bar_count > BARS_MAX)
		return -EINVAL;
	shadow = make_shadow(bars, bar_count);
	if (IS_ERR(shadow))
		return PTR_ERR(shadow);
	shadow->first_bus = first_bus;
	shadow->last_bus = last_bus;
	shadow->table = table;
	err = bus_register_notifier(&pci_bus_type, &added_block);
	if (err) {
		free_shadow(shadow);
		return err;
	}
	begin(shadow);
	err = enumerate(table);
	bus_unregister_notifier(&pci_bus_type, &added_block);
	if (!err && shadow->full)
		err = -ENOSPC;
	if (err)
		drop(shadow);
	return err;
}

static struct shadow *described_by(const struct acpi_table_header *table)
{
	struct shadow *shadow;

	list_for_each_entry(shadow, &shadows, list)
		if (shadow->table->length == table->length &&
		    !memcmp(shadow->table, table, table->length))
			return shadow;
	return NULL;
}

static void attach_drivers(u32 first_bus, u32 last_bus)
{
	struct pci_dev *function = NULL;

	for_each_pci_dev(function) {
		if (pci_domain_nr(function->bus) ||
		    function->bus->number < first_bus ||
		    function->bus->number > last_bus)
			continue;
		if (twin_driver_override(function, "") ||
		    device_attach(&function->dev) < 0)
			pci_err(function, "no driver could take it\n");
	}
}

/*
 * Called with twin.lock held, when the other kernel has let go of the buses that
 * @table describes: does what enumeration had to leave undone, and lets drivers
 * have the functions. The other shadows stay. -ENOENT: they are not prepared.
 */
int twin_shadow_write_back(const struct acpi_table_header *table)
{
	struct shadow *shadow = described_by(table);
	u32 first_bus, last_bus;

	if (!shadow)
		return -ENOENT;
	first_bus = shadow->first_bus;
	last_bus = shadow->last_bus;
	/* No access falls in between. */
	raw_spin_lock_irq(&shadows_lock);
	twin_shadow_words_write_back(shadow);
	list_del(&shadow->list);
	raw_spin_unlock_irq(&shadows_lock);
	end(shadow);
	attach_drivers(first_bus, last_bus);
	return 0;
}

void twin_shadow_exit(void)
{
	struct shadow *shadow, *next;

	list_for_each_entry_safe(shadow, next, &shadows, list)
		drop(shadow);
	/* Nobody is in the functions above any more. */
	synchronize_rcu();
}
