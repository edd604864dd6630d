package io.twinkernel.ffi;

/**
 * Addresses that a PCI function decodes ({@code struct twin_bar}).
 *
 * @param function bus · 256 + device · 8 + function, in segment 0
 * @param register offset in configuration space, 0x10 to 0x38
 * @param wide whether the next register is the upper half of the address
 * @param bytes how many, a power of two
 */
public record PciBar(int function, int register, boolean wide, long bytes) {}
