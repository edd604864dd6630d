// SPDX-License-Identifier: Apache-2.0
/*
 * Compares what the twin module tells of the threads of stopped processes with
 * what their tracer reads, and asks it for what it must refuse, also while they
 * come and go. Prints a line "ok NAME" or "bad NAME WHY" for each, then "end".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../../../kernel-patches/twin/twin.h"
#include "checks.h"

#define THREADS 5
#define ROOM 16384
#define STORM 4	/* s */

static int twin;

/* What one of them does, for it to be stopped in: registers that count alike. */
static void computes(void)
{
	static const double value = 1e300;

	asm volatile("fldl %0\n\t"
		     "mov $0x1122334455667788, %%rbx\n\t"
		     "xor %%r12, %%r12\n"
		     "1: inc %%r12\n\t"
		     "mov %%r12, %%r13\n\t"
		     "movq %%r12, %%xmm7\n\t"
		     "jmp 1b"
		     : : "m"(value) : "rbx", "r12", "r13", "xmm7", "memory");
}

static void sleeps(void)
{
	struct timespec long_time = { .tv_sec = 100000 };

	for (;;)
		nanosleep(&long_time, NULL);
}

static void waits(void)
{
	for (;;)
		ppoll(NULL, 0, NULL, NULL);
}

static void blocks(void)
{
	for (;;)
		pause();
}

/* It has another mask only while it waits. */
static void suspends(void)
{
	sigset_t some;

	sigfillset(&some);
	sigprocmask(SIG_BLOCK, &some, NULL);
	sigdelset(&some, SIGTERM);
	for (;;)
		sigsuspend(&some);
}

static void (*const acts[THREADS])(void) = { blocks, computes, sleeps, waits, suspends };

static void *act(void *which)
{
	acts[(long)which]();
	return NULL;
}

static pid_t threads[THREADS];

static char state_of(pid_t process, pid_t thread)
{
	char path[64], line[512] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", process, thread);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 'X';
	if (read(fd, line, sizeof(line) - 1) < 0)
		die("read");
	close(fd);
	return strrchr(line, ')')[2];
}

static void await_state(pid_t process, pid_t thread, const char *states)
{
	while (!strchr(states, state_of(process, thread)))
		sched_yield();
}

static int by_number(const void *one, const void *other)
{
	return *(const pid_t *)one - *(const pid_t *)other;
}

/* As many as there are, in the order in which they were made; their count. */
static int find_threads(pid_t process)
{
	struct dirent *entry;
	char path[64];
	int count = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	tasks = opendir(path);
	if (!tasks)
		die("opendir");
	while (count < THREADS && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			threads[count++] = atoi(entry->d_name);
	closedir(tasks);
	qsort(threads, count, sizeof(threads[0]), by_number);
	return count;
}

/* One that has a thread for each act. */
static pid_t start(void)
{
	pid_t process = MUST(fork());

	if (!process) {
		pthread_t thread;
		sigset_t some;

		sigemptyset(&some);
		sigaddset(&some, SIGUSR1);
		sigaddset(&some, SIGRTMIN + 3);
		sigprocmask(SIG_BLOCK, &some, NULL);
		for (long i = 1; i < THREADS; i++)
			pthread_create(&thread, NULL, act, (void *)i);
		acts[0]();
	}
	while (find_threads(process) < THREADS)
		sched_yield();
	for (int i = 0; i < THREADS; i++)
		await_state(process, threads[i], i == 1 ? "R" : "S");
	return process;
}

static void stop(pid_t process)
{
	int status;

	MUST(kill(process, SIGSTOP));
	MUST(waitpid(process, &status, WUNTRACED));
	for (int i = 0; i < THREADS; i++)
		await_state(process, threads[i], "T");
}

static void end(pid_t process)
{
	MUST(kill(process, SIGKILL));
	MUST(waitpid(process, NULL, 0));
}

static struct twin_thread told[THREADS];
static struct user_regs_struct general[THREADS];
static unsigned char extended[THREADS * ROOM];
static unsigned int extended_size;
static uint64_t pending;

/* Gives the errno, 0 for none. */
static int ask_with(pid_t process, unsigned int count, unsigned int general_size,
		    unsigned int size, unsigned int reserved, void *to)
{
	struct twin_threads ask = {
		.size = sizeof(ask), .pid = process, .threads = (unsigned long)told,
		.general = (unsigned long)to, .extended = (unsigned long)extended,
		.count = count, .general_size = general_size, .extended_size = size,
		.reserved = reserved,
	};
	int err;

	for (int i = 0; i < THREADS; i++)
		told[i] = (struct twin_thread){ .number = threads[i] };
	err = ioctl(twin, TWIN_IOC_THREADS, &ask) ? errno : 0;
	extended_size = ask.extended_size;
	pending = ask.pending;
	return err;
}

static int ask(pid_t process, unsigned int count)
{
	return ask_with(process, count, sizeof(general[0]), extended_size, 0, general);
}

static bool is_same(pid_t thread, int type, const void *there, size_t size)
{
	static unsigned char here[ROOM];
	struct iovec room = { here, sizeof(here) };

	MUST(ptrace(PTRACE_GETREGSET, thread, type, &room));
	return room.iov_len == size && !memcmp(here, there, size);
}

static void compare(int i)
{
	static const char *const names[THREADS] = {
		"blocks", "computes", "sleeps", "waits", "suspends"
	};
	pid_t thread = threads[i];
	uint64_t mask;
	char name[64];
	int status;

	MUST(ptrace(PTRACE_SEIZE, thread, 0, 0));
	MUST(waitpid(thread, &status, __WALL));
	snprintf(name, sizeof(name), "%s-general", names[i]);
	tell(name, is_same(thread, NT_PRSTATUS, &general[i], sizeof(general[i])),
	     "rip %llx, rax %lld of call %lld", general[i].rip, (long long)general[i].rax,
	     (long long)general[i].orig_rax);
	snprintf(name, sizeof(name), "%s-extended", names[i]);
	tell(name, is_same(thread, NT_X86_XSTATE, extended + i * extended_size, extended_size),
	     "%u bytes", extended_size);
	MUST(ptrace(PTRACE_GETSIGMASK, thread, sizeof(mask), &mask));
	snprintf(name, sizeof(name), "%s-mask", names[i]);
	tell(name, mask == told[i].blocked, "%llx", (unsigned long long)told[i].blocked);
	MUST(ptrace(PTRACE_DETACH, thread, 0, 0));
	await_state(threads[0], thread, "T");
}

/* What counts in the second thread was read at one moment. */
static bool is_alike(void)
{
	/* Where FXSAVE has it, which XSAVE begins with. */
	const unsigned char *xmm7 = extended + extended_size + 160 + 7 * 16;
	uint64_t count = general[1].r12, last;

	memcpy(&last, xmm7, sizeof(last));
	return (general[1].r13 == count || general[1].r13 == count - 1) &&
	       (last == count || last == count - 1);
}

static uint64_t bit(int signal)
{
	return 1ULL << (signal - 1);
}

static void tells(void)
{
	pid_t process = start();

	is("runs", EAGAIN, ask(process, THREADS));
	stop(process);
	extended_size = 0;
	is("size-unknown", EMSGSIZE, ask(process, THREADS));
	tell("size-told", extended_size >= 576 && extended_size <= ROOM, "%u", extended_size);
	is("read", 0, ask(process, THREADS));
	for (int i = 0; i < THREADS; i++)
		compare(i);
	tell("computes-rbx", general[1].rbx == 0x1122334455667788ULL, "%llx", general[1].rbx);
	tell("computes-alike", is_alike(), "%llx", general[1].r12);
	tell("sleeps-restarts", (long)general[2].rax == -516, "%ld", (long)general[2].rax);
	tell("no-signals", !pending && !told[0].pending, "");
	MUST(kill(process, SIGUSR1));
	MUST(syscall(SYS_tgkill, process, threads[0], SIGRTMIN + 3));
	is("read-signals", 0, ask(process, THREADS));
	tell("signal-of-process", pending == bit(SIGUSR1), "%llx", (unsigned long long)pending);
	tell("signal-of-thread", told[0].pending == bit(SIGRTMIN + 3) && !told[1].pending, "%llx",
	     (unsigned long long)told[0].pending);
	/* It goes on, and is read anew. */
	MUST(kill(process, SIGCONT));
	await_state(process, threads[1], "R");
	is("goes-on", EAGAIN, ask(process, THREADS));
	stop(process);
	is("read-again", 0, ask(process, THREADS));
	for (int i = 0; i < THREADS; i++)
		compare(i);
	end(process);
	is("ended", ESRCH, ask(process, THREADS));
}

static void unprivileged(pid_t process)
{
	pid_t child = MUST(fork());
	int status;

	if (!child) {
		MUST(setuid(65534));
		_exit(ask(process, THREADS));
	}
	MUST(waitpid(child, &status, 0));
	is("unprivileged", EPERM, WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
}

static void refuses(void)
{
	size_t page = getpagesize();
	pid_t process = start(), known;
	char *edge;

	stop(process);
	is("ready", 0, ask(process, THREADS));
	is("too-few", ESRCH, ask(process, THREADS - 1));
	is("none", ESRCH, ask(process, 0));
	is("too-many", ESRCH, ask(process, UINT32_MAX));
	is("no-process", ESRCH, ask(0, THREADS));
	is("a-thread", ESRCH, ask(threads[1], THREADS));
	is("other-process", ESRCH, ask(1, 1));
	known = threads[2];
	threads[2] = getpid();
	is("other-thread", ESRCH, ask(process, THREADS));
	threads[2] = 0;
	is("no-thread", ESRCH, ask(process, THREADS));
	threads[2] = known;
	known = threads[0];
	threads[0] = 2;
	is("kernel-thread", EOPNOTSUPP, ask(2, 1));
	threads[0] = known;
	is("short", EMSGSIZE, ask_with(process, THREADS, sizeof(general[0]), extended_size - 8, 0,
				       general));
	is("general-size", EOPNOTSUPP, ask_with(process, THREADS, 1, extended_size, 0, general));
	is("reserved", EINVAL, ask_with(process, THREADS, sizeof(general[0]), extended_size, 1,
					general));
	is("no-memory", EFAULT, ask_with(process, THREADS, sizeof(general[0]), extended_size, 0,
					 NULL));
	edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(munmap(edge + page, page));
	is("edge", EFAULT, ask_with(process, THREADS, sizeof(general[0]), extended_size, 0,
				    edge + page - 8));
	unprivileged(process);
	is("still", 0, ask(process, THREADS));
	end(process);
}

/* Stopped and continued all the time, each answer is one of its moments or none. */
static void storm(void)
{
	struct timespec now, until;
	unsigned long right = 0, not = 0, torn = 0;
	pid_t process = start(), other;
	int err = 0;

	stop(process);
	is("before-storm", 0, ask(process, THREADS));
	other = MUST(fork());
	if (!other) {
		for (unsigned int i = 0;; i++) {
			kill(process, SIGCONT);
			usleep(i % 7 * 100);
			kill(process, SIGSTOP);
			usleep(i % 11 * 1000);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STORM;
	do {
		err = ask(process, THREADS);
		right += !err;
		not += err == EAGAIN;
		torn += !err && !is_alike();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((!err || err == EAGAIN) && now.tv_sec < until.tv_sec);
	end(other);
	tell("storm", (!err || err == EAGAIN) && !torn && right && not,
	     "%lu read, %lu not, %lu torn, %s", right, not, torn, err ? strerrorname_np(err) : "0");
	end(process);
}

/* One that has ended, of which its parent has not heard. */
static void zombie(void)
{
	pid_t process = MUST(fork()), known = threads[0];
	siginfo_t info;
	int err = 0;

	if (!process)
		_exit(0);
	MUST(waitid(P_PID, process, &info, WEXITED | WNOWAIT));
	threads[0] = process;
	for (int i = 0; i < 1000 && (!i || err == EAGAIN); i++)
		err = ask(process, 1);
	is("zombie", EAGAIN, err);
	threads[0] = known;
	MUST(waitpid(process, NULL, 0));
}

/* Ended while they are asked about. */
static void deaths(void)
{
	unsigned long right = 0, gone = 0;

	for (int i = 0; i < 20; i++) {
		pid_t process = start(), killer;
		int err;

		stop(process);
		killer = MUST(fork());
		if (!killer) {
			for (int wait = 0; wait < i * 1000; wait++)
				asm volatile("pause");
			kill(process, SIGKILL);
			_exit(0);
		}
		do {
			err = ask(process, THREADS);
			right += !err;
		} while (!err || err == EAGAIN);
		if (err != ESRCH)
			is("death", ESRCH, err);
		gone += err == ESRCH;
		MUST(waitpid(killer, NULL, 0));
		MUST(waitpid(process, NULL, 0));
	}
	tell("deaths", gone == 20, "%lu times, read %lu times before", gone, right);
}

int main(void)
{
	twin = MUST(open("/dev/twin", O_RDWR | O_CLOEXEC));
	tells();
	refuses();
	storm();
	zombie();
	deaths();
	puts("end");
	return 0;
}
