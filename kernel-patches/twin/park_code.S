/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop in which A ends. It is copied into the parking area and runs there at
 * its physical address, so to the module it is data.
 *
 * In: rdi physical address of twin_shared.parked, rsi of the page that this was
 * copied to, rdx of the final page tables. The current page tables map the same
 * and the module besides.
 */
#include <asm/segment.h>

#include "park.h"

#define MSR_MCG_STATUS 0x17a

	.section .rodata, "a"
	.balign 16
	.globl twin_park_code, twin_park_code_end, twin_park_return
	.globl twin_park_machine_check, twin_park_stop

twin_park_code:
	.byte	0xf3, 0x0f, 0x1e, 0xfa	/* endbr64: this was reached indirectly */
	cli
	lea	0x1000(%rsi), %rsp
	lgdt	PARK_GDTR(%rsi)
	lidt	PARK_IDTR(%rsi)
	mov	$__KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	lldt	%ax
	pushq	$__KERNEL_CS
	lea	1f(%rip), %rax
	push	%rax
	lretq
1:	mov	%rdx, %cr3
	mov	%cr4, %rax
	and	$PARK_CR4, %eax		/* no PGE: nothing of A stays in the TLB */
	mov	%rax, %cr4
	mfence
	movl	$1, (%rdi)		/* from here on A has no memory */
2:	cli
	hlt
	jmp	2b

/* NMIs and stray interrupts: back into the loop. */
twin_park_return:
	iretq

/* A machine check is for the CPUs in use. Acknowledge, or the next one resets. */
twin_park_machine_check:
	push	%rax
	push	%rcx
	push	%rdx
	mov	$MSR_MCG_STATUS, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

/* An exception, which nothing in the loop can cause. */
twin_park_stop:
	cli
	hlt
	jmp	twin_park_stop
twin_park_code_end:
