/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop in which A ends, and the way out of it. It is copied into the parking
 * area and runs there at its physical address, so to the module it is data.
 *
 * In: rdi physical address of a word that becomes 1 when the CPU is here, rsi of
 * the page that this was copied to, rdx of the final page tables. The current
 * page tables map the same and the module besides.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

#include "park.h"

	.section .rodata, "a"
	.balign 16
	.globl twin_park_code, twin_park_code_end, twin_park_return
	.globl twin_park_nmi, twin_park_machine_check, twin_park_stop

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
	mov	%rax, %dr7		/* breakpoints were of A's addresses */
	mov	%rsp, %rcx
	pushq	$__KERNEL_DS
	push	%rcx
	pushq	$X86_EFLAGS_FIXED
	pushq	$__KERNEL_CS
	lea	1f(%rip), %rax
	push	%rax
	iretq				/* an NMI may have brought it here: let the next in */
1:	mov	%rdx, %cr3
	mov	%cr4, %rax
	and	$PARK_CR4, %eax		/* no PGE: nothing of A stays in the TLB */
	mov	%rax, %cr4
	mfence
	movl	$PARK_WAITS, PARK_STATE(%rsi)
	movl	$1, (%rdi)		/* from here on A has no memory */
2:	cli
	hlt
	jmp	2b

/*
 * An NMI: go, if the mailbox says so, else back into the loop, which has nothing
 * in its registers. By iret in both cases: it lets the next NMI in.
 */
twin_park_nmi:
	cmpl	$PARK_GO, PARK_COMMAND + twin_park_code(%rip)
	jne	twin_park_return
	lea	twin_park_leave(%rip), %rax
	mov	%rax, (%rsp)
twin_park_return:
	iretq

/* What INIT and SIPI do: real mode, at the beginning of a page below 1 MiB. */
twin_park_leave:
	lea	twin_park_code(%rip), %rbx
	mov	%cr4, %rax
	test	$X86_CR4_VMXE, %eax
	jz	3f
	vmxoff				/* or there is no way out of paging */
3:	movl	$0, PARK_COMMAND(%rbx)
	movl	$0, PARK_STATE(%rbx)	/* the answer */
	pushq	$__KERNEL32_CS
	lea	4f(%rip), %rax
	push	%rax
	lretq

	.code32
4:	mov	%cr0, %eax
	and	$~X86_CR0_PG, %eax
	mov	%eax, %cr0		/* the page is where it is mapped */
	mov	$MSR_EFER, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	mov	%eax, %cr4		/* after long mode: five levels stay on in it */
	mov	%eax, %cr3
	lidtl	PARK_REAL_IDTR(%ebx)
	mov	$PARK_DS16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	ljmpl	$PARK_CS16, $5f - twin_park_code

	.code16
5:	mov	$X86_CR0_ET, %eax
	mov	%eax, %cr0		/* the code segment keeps its base until the jump */
	ljmpw	*%cs:PARK_TARGET

	.code64
/* A machine check is for the CPUs in use. Acknowledge, or the next one resets. */
twin_park_machine_check:
	push	%rax
	push	%rcx
	push	%rdx
	mov	$MSR_IA32_MCG_STATUS, %ecx
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

	.org	twin_park_code + PARK_GDT	/* fails if the code reaches the tables */
