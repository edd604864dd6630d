/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * twin - userspace interface of the twin kernel module, /dev/twin.
 *
 * One kernel (A) starts a second one (B) beside itself on a CPU, a piece of
 * memory and PCI buses that it let go, and later hands over the rest. The
 * module runs in both. Every structure starts with its own size, so that it
 * can grow: userspace sets @size to what it was built with; the kernel treats
 * what userspace did not pass as zero, and refuses (E2BIG) what it does not
 * know unless it is zero.
 */
#ifndef _UAPI_TWIN_H
#define _UAPI_TWIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TWIN_ABI_VERSION 1

/* Which side of an upgrade this kernel is on. */
#define TWIN_ROLE_PRIMARY   0	/* booted by the firmware, or took over */
#define TWIN_ROLE_SECONDARY 1	/* started beside another kernel */

/* What the module is doing; also /sys/kernel/twin/state. */
#define TWIN_STATE_IDLE    0	/* nothing reserved */
#define TWIN_STATE_CARVED  1	/* shared region carved from the crash region */
#define TWIN_STATE_ARMED   2	/* the CPU will start the twin when it goes offline */
#define TWIN_STATE_RUNNING 3	/* a twin runs */
#define TWIN_STATE_TWIN    4	/* this kernel is itself the twin */

/* A physical address range, in bytes. */
struct twin_range {
	__u64 start;
	__u64 size;
};

struct twin_info {
	__u32 size;
	__u32 abi;		/* TWIN_ABI_VERSION of the module */
	__u32 role;		/* TWIN_ROLE_* */
	__u32 state;		/* TWIN_STATE_* */
	struct twin_range crash;	/* the crash region as B will see it */
	struct twin_range shared;	/* the shared region, size 0: none */
	struct twin_range trampoline;	/* this kernel's real-mode code, below 1 MiB */
	__u64 ecam;		/* ECAM base of PCI segment 0, 0: none */
	__u32 tsc_khz;		/* calibrated TSC frequency */
	__u32 boot_apic_id;	/* APIC id of the machine's boot CPU */
	__u32 twin_cpu;		/* CPU that runs the twin, ~0: none */
	__u32 reserved;
};

struct twin_carve {
	__u32 size;
	__u32 reserved;
	__u64 bytes;		/* in: size of the region, a multiple of 2 MiB; 0: give it back */
	__u64 start;		/* out: its physical address */
};

struct twin_cpu {
	__u32 size;
	__u32 cpu;		/* logical number in this kernel */
};

struct twin_table {
	__u32 size;
	__u32 length;		/* bytes at @address, an ACPI SSDT with its header */
	__u64 address;		/* user pointer */
};

struct twin_memory {
	__u32 size;
	__u32 node;
	struct twin_range range;	/* to take as System RAM */
	__u64 added;		/* out: bytes taken */
};

/* Addresses that a PCI function decodes. */
struct twin_bar {
	__u32 address;		/* bus << 8 | device << 3 | function, in segment 0 */
	__u16 reg;		/* offset of the register, 0x10 to 0x38 */
	__u16 wide;		/* 1: 64 bits, the next register is its upper half */
	__u64 bytes;		/* a power of two */
};

struct twin_prepare {
	__u32 size;
	__u32 length;		/* bytes at @address, an ACPI SSDT with its header */
	__u64 address;		/* user pointer */
	__u32 first_bus;	/* that the table describes */
	__u32 last_bus;
	__u64 bars;		/* user pointer, struct twin_bar[] */
	__u32 bar_count;
	__u32 reserved;
};

/* A PCI function. */
struct twin_function {
	__u32 size;
	__u32 address;		/* segment << 16 | bus << 8 | device << 3 | function */
};

/* Pages of a process, a bit for each in arrays of __u64. */
struct twin_pages {
	__u32 size;
	__u32 pid;		/* as the caller counts processes */
	__u64 start;		/* address of the first page */
	__u64 count;
	__u64 own;		/* user pointer: present or swapped out, and no file's
				 * but by a shared mapping
				 */
	__u64 changed;		/* user pointer: of those, the soft-dirty ones */
};

/* What a process has set by setitimer(2). */
struct twin_timers {
	__u32 size;
	__u32 pid;		/* as the caller counts processes */
	__u64 real;		/* out: ns until ITIMER_REAL expires, 0: it is not set,
				 * or, with an interval, its signal waits
				 */
	__u64 interval;		/* out: ns from then on, each time; 0: once */
	__u32 others;		/* out: 1: ITIMER_VIRTUAL or ITIMER_PROF is set */
	__u32 reserved;
};

/* A thread of a process. */
struct twin_thread {
	__u32 number;		/* in, as the caller counts threads */
	__u32 reserved;
	__u64 blocked;		/* out: signals that it blocks, bit n - 1 is signal n */
	__u64 pending;		/* out: those that wait for it alone */
};

/* All threads of a process. */
struct twin_threads {
	__u32 size;
	__u32 pid;		/* as the caller counts processes */
	__u64 threads;		/* user pointer, struct twin_thread[] */
	__u64 general;		/* user pointer, NT_PRSTATUS of each */
	__u64 extended;		/* user pointer, NT_X86_XSTATE of each */
	__u32 count;		/* of them */
	__u32 general_size;	/* of one */
	__u32 extended_size;	/* of one; out: what it is */
	__u32 reserved;
	__u64 pending;		/* out: signals that wait for the process */
};

/* A file that a process is to have open. */
struct twin_open {
	__u32 descriptor;	/* of the process, open */
	__u32 file;		/* descriptor of the caller */
};

struct twin_files {
	__u32 size;
	__u32 pid;		/* as the caller counts processes */
	__u64 open;		/* user pointer, struct twin_open[] */
	__u32 count;
	__u32 reserved;
};

/* What an interface that this kernel has in the service's network does. */
#define TWIN_PORT_FREE	  0	/* whatever it did before it was one */
#define TWIN_PORT_OPEN	  1	/* receives and sends */
#define TWIN_PORT_HOLD	  2	/* sends nothing; keeps what it receives */
#define TWIN_PORT_DISCARD 3	/* sends nothing; receives nothing */
#define TWIN_PORT_LEAVE	  4	/* as HOLD, but only of what is for it alone */
#define TWIN_PORT_ANNOUNCE 5	/* as OPEN; neighbours and switches learn of it */
#define TWIN_PORT_STEADY  6	/* as OPEN, but keeps what begins or ends a connection */

struct twin_port {
	__u32 size;
	__u32 interface;	/* its number */
	__u32 mode;		/* TWIN_PORT_* */
	__u32 reserved;
};

/* Frames that such an interface has received. */
struct twin_frames {
	__u32 size;
	__u32 interface;	/* its number */
	__u64 address;		/* user pointer, each frame at a multiple of 8 */
	__u64 length;		/* in: bytes there; out, for TAKE_FRAMES: of frames */
};

#define TWIN_FRAME_CHECKED 1	/* its checksums are right, or not filled in */

/* One of them; the next one follows where 8 divides the offset. */
struct twin_frame {
	__u32 length;		/* bytes from here on, link-layer header included */
	__u32 flags;		/* TWIN_FRAME_* */
	__u8 data[];
};

#define TWIN_IOC_MAGIC 0xB7

/* What is known; always allowed. */
#define TWIN_IOC_INFO		_IOWR(TWIN_IOC_MAGIC, 0, struct twin_info)
/*
 * A: take @bytes from the start of the crash region for both kernels to share.
 * ENODEV no crashkernel=, ENOSPC region too small, EBUSY a crash image is
 * loaded or a twin runs, EINVAL size not aligned.
 */
#define TWIN_IOC_CARVE		_IOWR(TWIN_IOC_MAGIC, 1, struct twin_carve)
/*
 * A: when @cpu goes offline next, it starts the loaded crash image instead of
 * halting; CPUs that go offline before it are the twin's, too, to be started by
 * it. Putting one of them online again stops all of them. From now on A's PCI
 * configuration goes through ECAM, no shorthand IPI is sent, and A's own panic
 * does not jump into the image.
 * EINVAL no such CPU, EPERM the machine's boot CPU, ENOEXEC no crash image
 * loaded, EBUSY a twin runs, or a bus is prepared that was not adopted, ENXIO
 * nothing carved, EOPNOTSUPP no ECAM.
 */
#define TWIN_IOC_ARM		_IOW(TWIN_IOC_MAGIC, 2, struct twin_cpu)
/*
 * A: the twin is over: its CPUs were taken back (put online again before this
 * call), or it never started. Undoes ARM. EBUSY a CPU is still the twin's.
 */
#define TWIN_IOC_DISARM		_IO(TWIN_IOC_MAGIC, 3)
/*
 * A: stop for good. Only the calling CPU may be online; it leaves A's memory
 * for a loop in the shared region and never returns. EBUSY other CPUs are
 * online, ENXIO no twin runs.
 */
#define TWIN_IOC_PARK		_IO(TWIN_IOC_MAGIC, 4)
/*
 * B: load an SSDT and enumerate what it describes; or, if PREPARE_PCI was given
 * the same table, let drivers have what that has enumerated, and nothing else
 * that is prepared. EBADMSG not a valid table, EEXIST it is loaded already,
 * EOPNOTSUPP this kernel is no twin.
 */
#define TWIN_IOC_ADOPT_PCI	_IOW(TWIN_IOC_MAGIC, 5, struct twin_table)
/*
 * B: take a physical range as System RAM and put it online: whole memory
 * blocks by hotplug, the rest where this kernel has struct pages for it.
 * EEXIST part of it is in use already.
 */
#define TWIN_IOC_ADD_MEMORY	_IOWR(TWIN_IOC_MAGIC, 6, struct twin_memory)
/* Interrupt the other kernel. ENOTCONN it has not opened its side. */
#define TWIN_IOC_DOORBELL	_IO(TWIN_IOC_MAGIC, 7)
/*
 * B: the other kernel has parked; this one is the primary from now on. It
 * leaves the shared region: the head of it, with this kernel's ACPI tables and
 * the CPU that parked, stays reserved, the rest can be added as memory. If the
 * other kernel panicked, the devices that it drove stop mastering the bus.
 * EBUSY the other kernel has not parked, or the region is still mapped.
 */
#define TWIN_IOC_PROMOTE	_IO(TWIN_IOC_MAGIC, 8)
/*
 * B, promoted: set a physical range aside as this kernel's crash region, which
 * crashkernel= does for a kernel that the firmware booted. It is mapped, but
 * none of its pages is used: kexec_file_load() loads the next twin into it.
 * EEXIST there is a crash region, or a part of the range is in use; EINVAL not
 * whole 2 MiB; EBUSY a balloon driver has memory hotplug.
 */
#define TWIN_IOC_CRASH_REGION	_IOW(TWIN_IOC_MAGIC, 9, struct twin_memory)
/*
 * A: stop a function for the other kernel, with its driver bound. What a NIC
 * has received by then is handed to the protocols, nothing comes in or goes out
 * after. Nothing here may use the function until RESUME_PCI. ENODEV no such
 * function or no driver, EOPNOTSUPP the driver cannot take it back, EALREADY it
 * is stopped, ENOSPC 16 are.
 */
#define TWIN_IOC_SUSPEND_PCI	_IOW(TWIN_IOC_MAGIC, 10, struct twin_function)
/*
 * A: take a function back that SUSPEND_PCI or FREEZE_PCI stopped, from whatever
 * another kernel did with it. ENODEV no such function or no driver, ENOENT it is
 * not stopped; the driver's own errno, and it can be tried again.
 */
#define TWIN_IOC_RESUME_PCI	_IOW(TWIN_IOC_MAGIC, 11, struct twin_function)

/*
 * B: enumerate what an SSDT describes while the other kernel still uses it: no
 * write reaches a function, no driver gets one before ADOPT_PCI with the same
 * table. @bars has every base address register there, and ROM; not for buses
 * with SR-IOV. Once for each range of buses, as many as there are. EBADMSG not
 * a valid table, EBUSY one of the buses is prepared or in use here already,
 * EEXIST the table is loaded already, EINVAL buses or bars out of range, ENOSPC
 * too much was written, EOPNOTSUPP this kernel is no twin.
 */
#define TWIN_IOC_PREPARE_PCI	_IOW(TWIN_IOC_MAGIC, 12, struct twin_prepare)
/*
 * A: the same as SUSPEND_PCI for what is no NIC: the driver stops the function
 * itself, by its hibernation callback, and holds back what is asked of it from
 * then on, until RESUME_PCI. What uses the function (a mounted file system) is
 * to be quiet before. Errnos as for SUSPEND_PCI, or the driver's own; then the
 * function is as it was.
 */
#define TWIN_IOC_FREEZE_PCI	_IOW(TWIN_IOC_MAGIC, 13, struct twin_function)
/*
 * What /proc/PID/pagemap says of a process's pages, in far less time; needs
 * CAP_SYS_PTRACE. Beside other calls. EAGAIN a page is on its way elsewhere,
 * EOPNOTSUPP hugetlb pages, or a kernel without soft-dirty bits: read pagemap;
 * ESRCH no such process, EINVAL not its addresses.
 */
#define TWIN_IOC_PAGES		_IOW(TWIN_IOC_MAGIC, 14, struct twin_pages)

/*
 * What an interface of the service's network does from now on; needs
 * CAP_NET_ADMIN. HOLD, LEAVE, DISCARD: when this returns, nothing that came in is
 * on its way to a socket any more. STEADY: no TCP segment with FIN, RST or, without
 * ACK, SYN is; those are kept, by IPv4 and by IPv6 without extension headers, until there is no
 * room for more, and then received. What it sends is left alone. What STEADY kept
 * is the first that HOLD and LEAVE have. OPEN, ANNOUNCE and FREE: what was held
 * comes in, what was to be sent goes out. EBUSY it belongs to another interface
 * (bridge, bond), ENODEV no such interface, ENOENT FREE of what is no port,
 * EALREADY STEADY of one that is in HOLD, LEAVE or DISCARD, ENETDOWN it is not up,
 * ENOSPC four are ports, EOPNOTSUPP this kernel would have its driver speak again,
 * or what it sends does not queue (noqueue).
 * One that goes away, or to another network namespace, is free: TAKE_FRAMES ends.
 */
#define TWIN_IOC_SET_PORT	_IOW(TWIN_IOC_MAGIC, 15, struct twin_port)
/*
 * Frames that an interface in HOLD or LEAVE has received; waits for the first
 * one. Likewise. EMSGSIZE it does not fit; ENOENT the interface is in neither, or
 * not any more.
 */
#define TWIN_IOC_TAKE_FRAMES	_IOWR(TWIN_IOC_MAGIC, 16, struct twin_frames)
/*
 * Frames that another kernel's interface has received come in by this one, which
 * is open. Likewise. ENODEV no such interface, EINVAL no whole frames.
 */
#define TWIN_IOC_GIVE_FRAMES	_IOW(TWIN_IOC_MAGIC, 17, struct twin_frames)

/*
 * The interval timers of a process; needs CAP_SYS_PTRACE. Beside other calls.
 * ESRCH no such process.
 */
#define TWIN_IOC_TIMERS		_IOWR(TWIN_IOC_MAGIC, 18, struct twin_timers)

/*
 * A process whose first thread the caller traces, and that stands still, has
 * other files open by some of its descriptors; that they are closed on exec
 * stays. Needs CAP_SYS_PTRACE. Beside other calls. EBADF one side has no such
 * descriptor: those before it are exchanged; ESRCH no such process, or it is not
 * traced by the calling thread, or runs.
 */
#define TWIN_IOC_EXCHANGE_FILES	_IOW(TWIN_IOC_MAGIC, 19, struct twin_files)

/*
 * Registers of all threads of a process that a signal has stopped, as its tracer
 * reads them (PTRACE_GETREGSET), and the signals that wait; needs CAP_SYS_PTRACE.
 * Beside other calls. EAGAIN one of them is not stopped, or went on meanwhile;
 * EMSGSIZE @extended_size is another one, ESRCH no such process, or it has others
 * than just those threads, EOPNOTSUPP its registers are of another size, or one of
 * them is a thread of the kernel or has a segment in a local descriptor table.
 */
#define TWIN_IOC_THREADS	_IOWR(TWIN_IOC_MAGIC, 20, struct twin_threads)

/*
 * mmap() at offset 0 maps the shared region. read() blocks until the doorbell
 * was rung and returns a __u64, how often since the last read; poll() waits
 * for the same. POLLHUP: the other kernel has panicked (then @panicked below
 * says so), or its heartbeat has stopped.
 */

#define TWIN_SHARED_MAGIC	0x315248534e495754ULL	/* "TWINSHR1", little endian */
#define TWIN_SHARED_VERSION	3
#define TWIN_NO_APIC		0xffffffffU
#define TWIN_PANICKED		0x43494e50U	/* "PNIC": no garbage looks like it */
#define TWIN_PARKING_SIZE	0x10000		/* the least parking_size, in bytes */

/* Sides, as index into the arrays below. */
#define TWIN_SIDE_A 0
#define TWIN_SIDE_B 1

/*
 * The first page of the shared region. The first 64 bytes are written once by
 * A's broker, under @checksum (CRC-32C of them with @checksum as zero); what
 * follows changes while both kernels run. Offsets are from the region's start.
 */
struct twin_shared {
	__u64 magic;
	__u32 version;
	__u32 checksum;
	__u64 instance;		/* random, one for each start of a twin */
	__u64 region_size;
	__u32 tables_offset;	/* ACPI tables of B */
	__u32 tables_size;
	__u32 parking_offset;	/* pages that the module owns: where A parks */
	__u32 parking_size;
	__u32 ring_offset[2];	/* struct twin_ring by the side that writes it */
	__u32 ring_size[2];	/* bytes of data[], a power of two */

	__u32 apic_id[2];	/* where each side wants its doorbell, by its module */
	__u64 doorbell[2];	/* rung by the other side so often */
	__u64 heartbeat[2];	/* TSC, written by each module ten times a second */
	__u32 parked;		/* 1: A has left its memory for good */
	__u32 pad;
	__u64 baton;		/* who owns the machine; brokers move it by compare-and-swap */
	__u64 clock_tsc;	/* a TSC value ... */
	__u64 clock_realtime;	/* ... and CLOCK_REALTIME at it, in ns */
	__u32 panicked[2];	/* TWIN_PANICKED: by each module when its kernel panics */
	__u32 boot_parked;	/* 1: A panicked; its boot CPU is where A parks */
	__u32 pad1;
	__u64 pulse[2];		/* TSC, by B's broker all the time while the gap is near */
};

/*
 * A byte stream from one writer to one reader; positions only grow. Each side
 * says in a line of its own what it is to be woken for, so that the other one
 * rings for nothing else: it stores its position, then, after a full barrier,
 * compares, and who goes to sleep stores the wish, then looks once more.
 */
struct twin_ring {
	__u64 written;
	__u64 room_wanted;	/* the writer sleeps until @read is here or beyond */
	__u64 pad0[6];
	__u64 read;
	__u64 data_wanted;	/* the reader sleeps until @written is beyond this */
	__u64 pad1[6];
	__u8 data[];
};

#endif /* _UAPI_TWIN_H */
