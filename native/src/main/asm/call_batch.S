/* SPDX-License-Identifier: Apache-2.0 */
/*
 * long call_batch(struct call *calls, long count): makes system calls one after
 * the other until one fails; returns how many it made. The machine code of
 * io.twinkernel.ffi.CallBatch.
 */
	.text
	.intel_syntax noprefix
call_batch:
	push	rbx
	push	rbp
	push	r12
	mov	rbx, rdi
	mov	rbp, rsi
	xor	r12d, r12d
next:
	cmp	r12, rbp
	jae	end
again:
	mov	rax, [rbx]
	mov	rdi, [rbx + 8]
	mov	rsi, [rbx + 16]
	mov	rdx, [rbx + 24]
	mov	r10, [rbx + 32]
	mov	r8, [rbx + 40]
	mov	r9, [rbx + 48]
	syscall
	/* EINTR: a signal came, which is the virtual machine's own affair. */
	cmp	rax, -4
	je	again
	mov	[rbx + 56], rax
	add	rbx, 64
	inc	r12
	cmp	rax, -4095
	jb	next
end:
	mov	rax, r12
	pop	r12
	pop	rbp
	pop	rbx
	ret
