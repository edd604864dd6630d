/**
 * Writes the ACPI tables that describe to the second kernel the part of the machine it may use.
 *
 * <p>The first kernel's broker acts as the second kernel's firmware: {@link
 * io.twinkernel.broker.acpi.AcpiTables} makes one blob, found by the second kernel through {@code
 * acpi_rsdp=} on its command line, from a {@link io.twinkernel.broker.acpi.TwinMachine}. Formats
 * are those of the ACPI specification 6.5 (chapters 5.2 tables, 6.4 resource descriptors, 20 AML)
 * and of the PCI Firmware specification 3.3 (MCFG).
 */
@NullMarked
package io.twinkernel.broker.acpi;

import org.jspecify.annotations.NullMarked;
