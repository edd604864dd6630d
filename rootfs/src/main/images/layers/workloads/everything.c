// SPDX-License-Identifier: Apache-2.0
/*
 * A process that has one of everything a process can have, each with content, and
 * tells on port 7000 whether all of it is still there: a line "ok NAME" or
 * "bad NAME WHY" for each. Started in an IPC namespace of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PORT 7000
#define THREADS 4
#define FILL 20000
#define TICK 100000000L /* ns */
#define WINDOW 3000000000L /* ns, the least to know how fast a clock runs */
#define FASTER 20 /* ppm */
#define LATE 2 /* ticks: clocks of two kernels differ a little */

static FILE *answer;

static void die(const char *what)
{
	fprintf(stderr, "everything: %s: %s\n", what, strerror(errno));
	exit(1);
}

#define MUST(call) ({ long must_ = (long)(call); if (must_ == -1) die(#call); must_; })

static void tell(const char *name, bool good, const char *format, ...)
{
	va_list list;

	fprintf(answer, "%s %s ", good ? "ok" : "bad", name);
	va_start(list, format);
	vfprintf(answer, format, list);
	va_end(list);
	fputc('\n', answer);
}

static void fill(unsigned char *to, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (seed = seed * 1664525 + 1013904223) >> 24;
}

static bool filled(const unsigned char *data, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24))
			return false;
	return true;
}

static bool readable(int fd, int ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, ms) == 1;
}

/* Read what lies in a stream, compare, put it back. */
static bool turn(int from, int to, const char *text)
{
	char buffer[64] = "";
	ssize_t size = strlen(text);

	return readable(from, 5000) && read(from, buffer, sizeof(buffer)) == size &&
	       !memcmp(buffer, text, size) && write(to, text, size) == size;
}

/* Threads: each passes a baton on, has a thread-local value and its own name. */
static pthread_mutex_t baton_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t baton_moved = PTHREAD_COND_INITIALIZER;
static unsigned long baton;
static _Thread_local unsigned long local;
static atomic_long thread_faults;

static void *runner(void *number)
{
	unsigned long me = (unsigned long)number, passes = 0;

	local = me << 32;
	pthread_mutex_lock(&baton_lock);
	for (;;) {
		struct timespec nap = { .tv_nsec = 1000000 };

		while (baton % THREADS != me)
			pthread_cond_wait(&baton_moved, &baton_lock);
		if (local != (me << 32) + passes || baton / THREADS != passes)
			thread_faults++;
		local = (me << 32) + ++passes;
		baton++;
		pthread_cond_broadcast(&baton_moved);
		pthread_mutex_unlock(&baton_lock);
		nanosleep(&nap, NULL);
		pthread_mutex_lock(&baton_lock);
	}
	return NULL;
}

static void threads_check(void)
{
	unsigned long before;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&baton_lock);
	before = baton;
	while (baton < before + 20 &&
	       !pthread_cond_timedwait(&baton_moved, &baton_lock, &until))
		;
	tell("threads", baton >= before + 20 && !thread_faults, "%lu turns, %ld faults",
	     baton, (long)thread_faults);
	pthread_mutex_unlock(&baton_lock);
}

/*
 * Clocks: looked at all the time, must never go back. Nor may they jump where
 * the processes stood still, in the longest step, or run otherwise after it: by
 * the time stamp counter, which all kernels have in common.
 */
struct look {
	uint64_t tsc;
	int64_t clocks[2];
};

static const clockid_t clocks[2] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
static pthread_mutex_t looks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct look first_look, last_look, before_step, after_step;
static long clock_backward, clock_looks;

/* Of several the one that took the least. */
static struct look look_at_clocks(void)
{
	uint64_t shortest = UINT64_MAX;
	struct look best = {};

	for (int i = 0; i < 5; i++) {
		uint64_t from = __builtin_ia32_rdtsc(), span;
		struct timespec time[2];

		clock_gettime(clocks[0], &time[0]);
		clock_gettime(clocks[1], &time[1]);
		span = __builtin_ia32_rdtsc() - from;
		if (span >= shortest)
			continue;
		shortest = span;
		best.tsc = from + span / 2;
		for (int clock = 0; clock < 2; clock++)
			best.clocks[clock] =
				time[clock].tv_sec * 1000000000L + time[clock].tv_nsec;
	}
	return best;
}

static int64_t step(const struct look *from, const struct look *to, int clock)
{
	return to->clocks[clock] - from->clocks[clock];
}

/* Nanoseconds for each tick of the time stamp counter. */
static double rate(const struct look *from, const struct look *to, int clock)
{
	return step(from, to, clock) / (double)(to->tsc - from->tsc);
}

static void *watch_clock(void *unused)
{
	struct timespec nap = { .tv_nsec = 2000000 };

	first_look = last_look = before_step = after_step = look_at_clocks();
	for (;;) {
		struct look now;

		nanosleep(&nap, NULL);
		now = look_at_clocks();
		pthread_mutex_lock(&looks_lock);
		if (step(&last_look, &now, 0) < 0)
			clock_backward++;
		if (step(&last_look, &now, 0) > step(&before_step, &after_step, 0)) {
			before_step = last_look;
			after_step = now;
		}
		clock_looks++;
		last_look = now;
		pthread_mutex_unlock(&looks_lock);
	}
	return unused;
}

static void clock_check(void)
{
	/* The one cannot be set once processes have it; before, it is steered there. */
	static const double most[2] = { 300000, 100000 }; /* ns */
	struct timespec nap = { .tv_nsec = 10000000 };

	pthread_mutex_lock(&looks_lock);
	while (step(&after_step, &last_look, 0) < WINDOW) {
		pthread_mutex_unlock(&looks_lock);
		nanosleep(&nap, NULL);
		pthread_mutex_lock(&looks_lock);
	}
	tell("clock", !clock_backward && clock_looks > 0, "%ld looks, longest step %ld ms",
	     clock_looks, (long)(step(&before_step, &after_step, 0) / 1000000));
	for (int clock = 0; clock < 2; clock++) {
		double before = rate(&first_look, &before_step, clock);
		double after = rate(&after_step, &last_look, clock);
		double expected = (after_step.tsc - before_step.tsc) * before;
		double jump = step(&before_step, &after_step, clock) - expected;
		double ppm = (after / before - 1) * 1e6;

		tell(clock ? "realtime" : "monotonic",
		     fabs(jump) < most[clock] && fabs(ppm) < FASTER,
		     "jumped by %.1f us, runs faster by %.2f ppm", jump / 1000, ppm);
	}
	pthread_mutex_unlock(&looks_lock);
}

static int pipes[2], fifo_rest, streams[2], datagrams[2];
static int udp[2], tcp4[2], tcp6[2], events, timer, signals, epolls, watch, memory, deleted, queue;
static int semaphores, segment, master;
static struct timespec timed_from;
static uint64_t ticks;
static unsigned char *anonymous, *posix, *sysv;
static sigset_t blocked;
static struct __user_cap_data_struct capabilities[2];
static pid_t child;

static int udp_socket(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	MUST(bind(fd, (struct sockaddr *)address, size));
	MUST(getsockname(fd, (struct sockaddr *)address, &size));
	return fd;
}

/* A connection with something in its queue. */
static void connection_make(struct sockaddr *address, socklen_t size, int ends[2])
{
	int listener = MUST(socket(address->sa_family, SOCK_STREAM, 0));

	MUST(bind(listener, address, size));
	MUST(getsockname(listener, address, &size));
	MUST(listen(listener, 1));
	ends[0] = MUST(socket(address->sa_family, SOCK_STREAM, 0));
	MUST(connect(ends[0], address, size));
	ends[1] = MUST(accept(listener, NULL, NULL));
	MUST(write(ends[0], "in a TCP queue", 14));
}

static void sockets_make(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in a, b;

	udp[0] = udp_socket(&a);
	udp[1] = udp_socket(&b);
	MUST(connect(udp[0], (struct sockaddr *)&b, sizeof(b)));
	MUST(connect(udp[1], (struct sockaddr *)&a, sizeof(a)));

	connection_make((struct sockaddr *)&four, sizeof(four), tcp4);
	connection_make((struct sockaddr *)&six, sizeof(six), tcp6);

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, streams));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
	MUST(write(streams[0], "in a unix stream", 16));
	MUST(write(datagrams[0], "a unix datagram", 15));
}

/* Of both ends: as the loopback interface takes them, not the least that every host must take. */
static void segments_check(const char *name, const int ends[2])
{
	struct tcp_info info[2] = {};

	for (int i = 0; i < 2; i++) {
		socklen_t size = sizeof(info[i]);

		getsockopt(ends[i], IPPROTO_TCP, TCP_INFO, &info[i], &size);
	}
	tell(name, info[0].tcpi_snd_mss > 20000 && info[1].tcpi_snd_mss > 20000, "%u and %u",
	     info[0].tcpi_snd_mss, info[1].tcpi_snd_mss);
}

static void sockets_check(void)
{
	tell("unix-stream", turn(streams[1], streams[0], "in a unix stream"), "");
	tell("unix-datagram", turn(datagrams[1], datagrams[0], "a unix datagram"), "");
	tell("tcp-ipv4", turn(tcp4[1], tcp4[0], "in a TCP queue"), "");
	tell("tcp-ipv6", turn(tcp6[1], tcp6[0], "in a TCP queue"), "");
	segments_check("segments-ipv4", tcp4);
	segments_check("segments-ipv6", tcp6);
	/* What lies in a UDP queue need not survive: a network may lose it as well. */
	while (readable(udp[1], 0)) {
		char rest[64];

		if (read(udp[1], rest, sizeof(rest)) < 0)
			break;
	}
	tell("udp", write(udp[0], "a datagram", 10) == 10 && turn(udp[1], udp[0], "a datagram"),
	     "");
}

static void descriptors_make(void)
{
	struct itimerspec often = { .it_interval.tv_nsec = TICK, .it_value.tv_nsec = TICK };
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x1122334455667788ULL };
	unsigned char data[FILL];
	uint64_t value = 41;

	MUST(pipe(pipes));
	MUST(write(pipes[1], "in a pipe", 9));
	MUST(mkfifo("/tmp/fifo", 0600));
	fifo_rest = MUST(open("/tmp/fifo", O_RDWR));
	MUST(unlink("/tmp/fifo"));

	events = MUST(eventfd(0, EFD_NONBLOCK));
	MUST(write(events, &value, sizeof(value)));
	timer = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	clock_gettime(CLOCK_MONOTONIC, &timed_from);
	MUST(timerfd_settime(timer, 0, &often, NULL));
	signals = MUST(signalfd(-1, &blocked, SFD_NONBLOCK));
	epolls = MUST(epoll_create1(0));
	MUST(epoll_ctl(epolls, EPOLL_CTL_ADD, events, &event));
	watch = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(watch, "/etc", IN_CREATE));

	fill(data, sizeof(data), 1);
	memory = MUST(memfd_create("content", MFD_ALLOW_SEALING));
	MUST(write(memory, data, sizeof(data)));
	MUST(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	deleted = MUST(open("/tmp/deleted", O_CREAT | O_EXCL | O_RDWR, 0640));
	MUST(write(deleted, data, sizeof(data)));
	MUST(lseek(deleted, 123, SEEK_SET));
	MUST(unlink("/tmp/deleted"));
}

/* Each time that it has expired counts, also while nobody could run to read it. */
static void timerfd_check(void)
{
	struct itimerspec left;
	uint64_t count = 0, due;
	struct timespec now;
	bool right = readable(timer, 5000) && read(timer, &count, sizeof(count)) == sizeof(count);

	clock_gettime(CLOCK_MONOTONIC, &now);
	ticks += count;
	due = ((now.tv_sec - timed_from.tv_sec) * 1000000000L + now.tv_nsec - timed_from.tv_nsec) /
	      TICK;
	right = right && !timerfd_gettime(timer, &left) && left.it_interval.tv_nsec == TICK;
	tell("timerfd", right && ticks <= due && ticks + LATE >= due, "%lu of %lu",
	     (unsigned long)ticks, (unsigned long)due);
}

static void descriptors_check(void)
{
	unsigned char data[FILL] = "";
	struct epoll_event event = {};
	struct signalfd_siginfo info = {};
	uint64_t value = 0;
	char text[4096];
	int made;

	tell("pipe", turn(pipes[0], pipes[1], "in a pipe"), "");
	tell("epoll", epoll_wait(epolls, &event, 1, 5000) == 1 &&
	     event.data.u64 == 0x1122334455667788ULL, "");
	tell("eventfd", read(events, &value, sizeof(value)) == sizeof(value) && value == 41, "");
	value = 41;
	if (write(events, &value, sizeof(value)) < 0)
		tell("eventfd-write", false, "%s", strerror(errno));
	value = 0;
	timerfd_check();
	raise(SIGUSR1);
	tell("signalfd", read(signals, &info, sizeof(info)) == sizeof(info) &&
	     info.ssi_signo == SIGUSR1, "");
	made = open("/etc/everything.made", O_CREAT | O_RDWR, 0600);
	tell("inotify", made >= 0 && readable(watch, 5000) &&
	     read(watch, text, sizeof(text)) > (ssize_t)sizeof(struct inotify_event), "");
	close(made);
	unlink("/etc/everything.made");
	tell("memfd", pread(memory, data, FILL, 0) == FILL && filled(data, FILL, 1) &&
	     (fcntl(memory, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW)), "");
	memset(data, 0, FILL);
	tell("deleted-file", lseek(deleted, 0, SEEK_CUR) == 123 &&
	     pread(deleted, data, FILL, 0) == FILL && filled(data, FILL, 1), "offset %ld",
	     (long)lseek(deleted, 0, SEEK_CUR));
}

static void memory_make(void)
{
	int fd = MUST(shm_open("/everything", O_CREAT | O_EXCL | O_RDWR, 0600));
	struct { long type; char text[16]; } message = { 1, "in a queue" };

	MUST(ftruncate(fd, FILL));
	posix = mmap(NULL, FILL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	anonymous = mmap(NULL, FILL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (posix == MAP_FAILED || anonymous == MAP_FAILED)
		die("mmap");
	MUST(shm_unlink("/everything"));
	segment = MUST(shmget(0x7477, FILL, IPC_CREAT | IPC_EXCL | 0600));
	sysv = shmat(segment, NULL, 0);
	if (sysv == (void *)-1)
		die("shmat");
	semaphores = MUST(semget(0x7477, 2, IPC_CREAT | IPC_EXCL | 0600));
	MUST(semctl(semaphores, 0, SETVAL, 7));
	MUST(semctl(semaphores, 1, SETVAL, 9));
	queue = MUST(msgget(0x7477, IPC_CREAT | IPC_EXCL | 0600));
	MUST(msgsnd(queue, &message, sizeof(message.text), 0));
	fill(posix, FILL, 2);
	fill(anonymous, FILL / 2, 3);
	fill(sysv, FILL, 4);
}

static void memory_check(void)
{
	/* The child counts in the second half of what is shared. */
	volatile unsigned long *count = (void *)(anonymous + FILL / 2);
	unsigned long before = *count;
	struct msqid_ds about = {};

	tell("posix-shm", filled(posix, FILL, 2), "");
	tell("anonymous-shm", filled(anonymous, FILL / 2, 3), "");
	tell("sysv-shm", filled(sysv, FILL, 4) && shmget(0x7477, 0, 0) == segment, "");
	tell("semaphores", semget(0x7477, 0, 0) == semaphores &&
	     semctl(semaphores, 0, GETVAL) == 7 && semctl(semaphores, 1, GETVAL) == 9, "");
	tell("message-queue", !msgctl(queue, IPC_STAT, &about) && about.msg_qnum == 1, "");
	for (int i = 0; i < 5000 && *count == before; i++)
		usleep(1000);
	tell("child", *count != before && !kill(child, 0), "pid %d, %lu turns",
	     child, *count);
}

static void child_run(void)
{
	volatile unsigned long *count = (void *)(anonymous + FILL / 2);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		++*count;
		usleep(1000);
	}
}

/* A shell on a terminal of its own that knows something. */
static bool shell_says(const char *command, const char *expected)
{
	char text[4096] = "";
	size_t size = 0;

	if (write(master, command, strlen(command)) < 0)
		return false;
	while (readable(master, 10000)) {
		ssize_t more = read(master, text + size, sizeof(text) - 1 - size);

		if (more <= 0)
			return false;
		size += more;
		text[size] = 0;
		if (strstr(text, expected))
			return true;
	}
	return false;
}

static void shell_make(void)
{
	struct winsize window = { .ws_row = 33, .ws_col = 111 };
	pid_t shell = forkpty(&master, NULL, NULL, &window);

	if (shell < 0)
		die("forkpty");
	if (!shell) {
		setenv("PS1", "", 1);
		/* Without job control, or it has /dev/tty open, which CRIU cannot restore here. */
		execl("/bin/sh", "sh", "-i", "+m", (char *)NULL);
		_exit(127);
	}
	if (!shell_says("secret=$((40 + 2)); echo made$secret\n", "made42"))
		die("the shell");
}

static void shell_check(void)
{
	struct winsize window = {};

	tell("pty-shell", shell_says("echo says$((secret * 2))\n", "says84"), "");
	tell("pty-size", !ioctl(master, TIOCGWINSZ, &window) && window.ws_row == 33 &&
	     window.ws_col == 111, "");
}

static void self_make(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct rlimit limit = { .rlim_cur = 777, .rlim_max = 1777 };

	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	MUST(setpriority(PRIO_PROCESS, 0, 3));
	umask(027);
	MUST(prctl(PR_SET_NAME, "every thing"));
	MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	MUST(syscall(SYS_capget, &header, capabilities));
	capabilities[0].effective &= ~(1U << CAP_NET_RAW | 1U << CAP_SYS_TIME);
	capabilities[0].permitted &= ~(1U << CAP_NET_RAW);
	capabilities[0].inheritable = 1U << CAP_CHOWN;
	MUST(syscall(SYS_capset, &header, capabilities));
	raise(SIGUSR2);
}

static void self_check(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2] = {};
	struct rlimit limit = {};
	char name[16] = "";
	sigset_t pending;
	mode_t mask = umask(027);

	syscall(SYS_capget, &header, now);
	tell("capabilities", !memcmp(now, capabilities, sizeof(now)), "%x %x %x",
	     now[0].effective, now[0].permitted, now[0].inheritable);
	getrlimit(RLIMIT_NOFILE, &limit);
	prctl(PR_GET_NAME, name);
	sigpending(&pending);
	tell("limits", limit.rlim_cur == 777 && limit.rlim_max == 1777, "");
	tell("nice", getpriority(PRIO_PROCESS, 0) == 3, "%d", getpriority(PRIO_PROCESS, 0));
	tell("umask", mask == 027, "%o", mask);
	tell("name", !strcmp(name, "every thing"), "%s", name);
	tell("no-huge-pages", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "");
	tell("pending-signal", sigismember(&pending, SIGUSR2) == 1, "");
	clock_check();
}

int main(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int listener, on = 1;
	pthread_t thread;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);

	memory_make();
	child = fork();
	if (!child)
		child_run();
	shell_make();
	sockets_make();
	descriptors_make();
	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, runner, (void *)i);
	pthread_create(&thread, NULL, watch_clock, NULL);
	listener = MUST(socket(AF_INET6, SOCK_STREAM, 0));
	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	MUST(bind(listener, (struct sockaddr *)&any, sizeof(any)));
	MUST(listen(listener, 5));
	self_make();
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client < 0)
			continue;
		answer = fdopen(client, "w");
		threads_check();
		sockets_check();
		descriptors_check();
		memory_check();
		shell_check();
		self_check();
		fputs("end\n", answer);
		fclose(answer);
	}
}
