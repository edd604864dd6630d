/** PCI buses and functions: letting go and taking. */
@NullMarked
package io.twinkernel.broker.pci;

import org.jspecify.annotations.NullMarked;
