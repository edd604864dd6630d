// SPDX-License-Identifier: GPL-2.0
/*
 * PCI between two kernels. Ports 0xcf8 and 0xcfc take two writes an access, so
 * two kernels must not both use them: while a twin lives, this one uses the
 * memory-mapped configuration space (ECAM) for everything. B learns of a bus
 * that A let go by an ACPI table that describes a host bridge for it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/acpi.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "twin_internal.h"

#define SSDT_MAX SZ_1M

static const struct pci_raw_ops *original_ops;

/* Base of segment 0, for bus 0, or 0 if the machine has no ECAM. */
u64 twin_pci_ecam(void)
{
	struct acpi_table_header *table;
	struct acpi_mcfg_allocation *entry, *end;
	u64 base = 0;

	if (acpi_disabled ||
	    ACPI_FAILURE(acpi_get_table(ACPI_SIG_MCFG, 0, &table)))
		return 0;
	entry = (void *)table + sizeof(struct acpi_table_mcfg);
	end = (void *)table + table->length;
	for (; entry + 1 <= end && !base; entry++)
		if (!entry->pci_segment)
			base = entry->address;
	acpi_put_table(table);
	return base;
}

int twin_pci_use_ecam(void)
{
	if (!*twin_symbols.raw_pci_ext_ops)
		return -EOPNOTSUPP;
	/* What is put back in the end has to be the kernel's own. */
	if (twin_shadow_active())
		return -EBUSY;
	original_ops = *twin_symbols.raw_pci_ops;
	WRITE_ONCE(*twin_symbols.raw_pci_ops, *twin_symbols.raw_pci_ext_ops);
	return 0;
}

void twin_pci_restore(void)
{
	WRITE_ONCE(*twin_symbols.raw_pci_ops, original_ops);
}

/*
 * B: no device that the other kernel drove may write into memory any more; the
 * other kernel panicked and could not stop them. Bridges carry this kernel's
 * traffic, and its own devices are its own.
 */
void twin_pci_silence(void)
{
	const struct pci_raw_ops *ops = twin_shadow_real_ops();
	unsigned int bus, devfn;
	u32 value;

	for (bus = 0; bus < 256; bus++)
		for (devfn = 0; devfn < 256; devfn++) {
			struct pci_dev *own;

			if (ops->read(0, bus, devfn, PCI_VENDOR_ID, 2, &value) ||
			    value == 0xffff) {
				devfn |= PCI_FUNC(devfn) ? 0 : 7;
				continue;
			}
			if (ops->read(0, bus, devfn, PCI_HEADER_TYPE, 1, &value) ||
			    (value & 0x7f) != PCI_HEADER_TYPE_NORMAL)
				continue;
			own = pci_get_domain_bus_and_slot(0, bus, devfn);
			pci_dev_put(own);
			/* What is enumerated ahead is not ours yet. */
			if (own && !twin_shadow_covers(bus))
				continue;
			if (!ops->read(0, bus, devfn, PCI_COMMAND, 2, &value))
				ops->write(0, bus, devfn, PCI_COMMAND, 2,
					   value & ~PCI_COMMAND_MASTER);
		}
}

static bool is_ssdt(const struct acpi_table_header *table, u32 length)
{
	const u8 *byte = (const u8 *)table;
	u8 sum = 0;
	u32 i;

	for (i = 0; i < length; i++)
		sum += byte[i];
	return !sum && table->length == length &&
	       !memcmp(table->signature, ACPI_SIG_SSDT, ACPI_NAMESEG_SIZE);
}

static struct acpi_table_header *copy_table(const void __user *from, u32 length)
{
	struct acpi_table_header *table;

	if (!twin.was_secondary)
		return ERR_PTR(-EOPNOTSUPP);
	if (length < sizeof(*table) || length > SSDT_MAX)
		return ERR_PTR(-EBADMSG);
	table = memdup_user(from, length);
	if (!IS_ERR(table) && !is_ssdt(table, length)) {
		kfree(table);
		return ERR_PTR(-EBADMSG);
	}
	return table;
}

/*
 * ACPICA goes on using the table, even after some failures: from here on it is
 * never freed.
 */
static int enumerate(struct acpi_table_header *table)
{
	acpi_status status;
	u32 index;
	int err;

	status = acpi_load_table(table, &index);
	if (ACPI_FAILURE(status)) {
		pr_err("ACPI table %.8s: %s\n", table->oem_table_id,
		       acpi_format_exception(status));
		return status == AE_ALREADY_EXISTS ? -EEXIST : -EBADMSG;
	}
	acpi_scan_lock_acquire();
	err = acpi_bus_scan(ACPI_ROOT_OBJECT);
	acpi_scan_lock_release();
	return err;
}

/* Called with twin.lock held. */
int twin_pci_prepare(const struct twin_prepare *prepare)
{
	struct acpi_table_header *table;

	if (prepare->reserved)
		return -EINVAL;
	table = copy_table(u64_to_user_ptr(prepare->address), prepare->length);
	if (IS_ERR(table))
		return PTR_ERR(table);
	return twin_shadow_enumerate(prepare->first_bus, prepare->last_bus,
				     u64_to_user_ptr(prepare->bars),
				     prepare->bar_count, enumerate, table);
}

/* Called with twin.lock held. */
int twin_pci_adopt(const void __user *from, u32 length)
{
	struct acpi_table_header *table = copy_table(from, length);
	int err;

	if (IS_ERR(table))
		return PTR_ERR(table);
	err = twin_shadow_write_back(table);
	if (err == -ENOENT)
		return enumerate(table);
	kfree(table);
	return err;
}
