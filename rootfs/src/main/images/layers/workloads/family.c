// SPDX-License-Identifier: Apache-2.0
/*
 * A parent and two children that never stop writing to memory which they share,
 * and tell each other what they wrote. The parent has a timerfd and an interval
 * timer besides, which neither stop nor run ahead. Says on port 7003 whether all of it is
 * right: a line "ok NAME" or "bad NAME WHY" for each, then "end". On port 7004 it has
 * connections of which one end has ended its half.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 7003
#define HALVES 7004
#define LAST_WORDS "last words"
#define CHILDREN 2
#define PAGE 4096
#define PAGES 128
#define TICK 20000000L /* ns */
#define ALARM 30000000L
#define LATE 10 /* ticks that may not have been heard of yet */
#define SECOND 1000000000L

#define MUST(call) ({ long must_ = (long)(call); if (must_ == -1) die(#call); must_; })

/* One for each page; the child writes the second number last. */
struct record {
	uint64_t number;
	char rest[PAGE - 2 * sizeof(uint64_t)];
	uint64_t same;
};

static struct record *anonymous, *file;
static int ends[CHILDREN][2];
static uint64_t seen[CHILDREN];
static unsigned long faults, ended;
static int64_t timed_from;
static uint64_t ticks;
static volatile sig_atomic_t alarms;
static volatile int64_t last_alarm;
static int ended_there = -1, ended_here = -1;

static void die(const char *what)
{
	fprintf(stderr, "family: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct record *share(int fd)
{
	int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, CHILDREN * PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static struct record *record_of(struct record *memory, int child, uint64_t number)
{
	return memory + child * PAGES + number % PAGES;
}

static void note(struct record *record, uint64_t number)
{
	record->number = number;
	memset(record->rest, (int)number, sizeof(record->rest));
	record->same = number;
}

static bool noted(const struct record *record, uint64_t number)
{
	for (size_t i = 0; i < sizeof(record->rest); i++)
		if (record->rest[i] != (char)number)
			return false;
	return record->number == number && record->same == number;
}

/* Writes, tells, and waits for the answer: what was told must be there for the parent to see. */
static void work(int child)
{
	struct timespec nap = { .tv_nsec = 3000000 };

	for (uint64_t number = 1;; number++) {
		uint64_t answer;

		note(record_of(anonymous, child, number), number);
		note(record_of(file, child, number), number);
		MUST(write(ends[child][1], &number, sizeof(number)));
		if (MUST(read(ends[child][1], &answer, sizeof(answer))) != sizeof(answer) ||
		    answer != number)
			exit(1);
		nanosleep(&nap, NULL);
	}
}

static void hear(int child)
{
	uint64_t number;

	if (MUST(read(ends[child][0], &number, sizeof(number))) != sizeof(number)) {
		faults++;
		return;
	}
	if (number != seen[child] + 1 || !noted(record_of(anonymous, child, number), number) ||
	    !noted(record_of(file, child, number), number))
		faults++;
	/* What is older by a round has not changed since, either. */
	if (number > PAGES && !noted(record_of(anonymous, child, number + 1), number + 1 - PAGES))
		faults++;
	seen[child] = number;
	MUST(write(ends[child][0], &number, sizeof(number)));
}

/* Children stop and go on in an upgrade; none ends. */
static void signalled(int signals)
{
	struct signalfd_siginfo info;

	MUST(read(signals, &info, sizeof(info)));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		ended++;
}

static int64_t now(void)
{
	struct timespec time;

	MUST(clock_gettime(CLOCK_MONOTONIC, &time));
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void alarmed(int signal)
{
	(void)signal;
	alarms++;
	last_alarm = now();
}

static void tick(int timer)
{
	uint64_t count;

	if (MUST(read(timer, &count, sizeof(count))) == sizeof(count))
		ticks += count;
}

static int start_timers(void)
{
	struct itimerspec spec = { { 0, TICK }, { 0, TICK } };
	struct itimerval value = { { 0, ALARM / 1000 }, { 0, ALARM / 1000 } };
	struct sigaction action = { .sa_handler = alarmed, .sa_flags = SA_RESTART };
	int timer = MUST(timerfd_create(CLOCK_MONOTONIC, 0));

	MUST(sigaction(SIGALRM, &action, NULL));
	timed_from = now();
	MUST(timerfd_settime(timer, 0, &spec, NULL));
	MUST(setitimer(ITIMER_REAL, &value, NULL));
	return timer;
}

/* A timerfd counts each time that it expires; of alarms that come late some are one. */
static void tell_timers(int client)
{
	uint64_t due = (now() - timed_from) / TICK, most = (now() - timed_from) / ALARM;
	bool right = ticks <= due && ticks + LATE >= due;

	dprintf(client, "%s family-ticks %lu of %lu\n", right ? "ok" : "bad", (unsigned long)ticks,
		(unsigned long)due);
	right = alarms && (uint64_t)alarms <= most && now() - last_alarm < LATE * ALARM;
	dprintf(client, "%s family-alarms %lu of %lu at most, the last one %ld ms ago\n",
		right ? "ok" : "bad", (unsigned long)alarms, (unsigned long)most,
		(long)((now() - last_alarm) / 1000000));
}

static void tell(int listener)
{
	int client = MUST(accept(listener, NULL, NULL));

	dprintf(client, "%s family-memory %lu faults\n", faults ? "bad" : "ok", faults);
	dprintf(client, "%s family-children %lu ended\n", ended ? "bad" : "ok", ended);
	dprintf(client, "%s family-progress %lu and %lu\n", seen[0] && seen[1] ? "ok" : "bad",
		(unsigned long)seen[0], (unsigned long)seen[1]);
	tell_timers(client);
	dprintf(client, "end");
	close(client);
}

/* What was said to either, and how it ended; both end now. */
static void end_halves(int client)
{
	char words[sizeof(LAST_WORDS)] = "";
	ssize_t nothing = recv(ended_there, words, 1, 0);
	bool sent = send(ended_there, "done", 4, MSG_NOSIGNAL) == 4;
	ssize_t heard = recv(ended_here, words, sizeof(words) - 1, MSG_WAITALL);

	if (nothing == 0 && sent && heard == sizeof(words) - 1 && !strcmp(words, LAST_WORDS))
		dprintf(client, "ok");
	else
		dprintf(client, "of the other's half %zd, own %d, heard %zd '%s'", nothing, sent,
			heard, words);
	close(ended_there);
	close(ended_here);
	ended_there = ended_here = -1;
}

/* A client says which half is to end, its own or ours; or that both are to. */
static void halve(int listener)
{
	int client = MUST(accept(listener, NULL, NULL));
	char which = 0;

	MUST(recv(client, &which, 1, 0));
	if (which == 'c' && ended_there < 0) {
		ended_there = client;
	} else if (which == 's' && ended_here < 0) {
		MUST(send(client, &which, 1, MSG_NOSIGNAL));
		MUST(shutdown(client, SHUT_WR));
		ended_here = client;
	} else {
		if (which == 'e')
			end_halves(client);
		close(client);
	}
}

static int listen_on(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int listener = MUST(socket(AF_INET, SOCK_STREAM, 0)), one = 1;

	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	MUST(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	MUST(listen(listener, 4));
	return listener;
}

int main(void)
{
	struct pollfd polled[CHILDREN + 4];
	int memory = MUST(memfd_create("family", 0));
	sigset_t child;

	MUST(ftruncate(memory, CHILDREN * PAGES * PAGE));
	anonymous = share(-1);
	file = share(memory);
	close(memory);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &child, NULL));
	for (int i = 0; i < CHILDREN; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]));
		if (!MUST(fork()))
			work(i);
		polled[i] = (struct pollfd){ .fd = ends[i][0], .events = POLLIN };
	}
	polled[CHILDREN] = (struct pollfd){ .fd = listen_on(PORT), .events = POLLIN };
	polled[CHILDREN + 1] = (struct pollfd){ .fd = MUST(signalfd(-1, &child, 0)), .events = POLLIN };
	polled[CHILDREN + 2] = (struct pollfd){ .fd = start_timers(), .events = POLLIN };
	polled[CHILDREN + 3] = (struct pollfd){ .fd = listen_on(HALVES), .events = POLLIN };
	for (;;) {
		if (poll(polled, CHILDREN + 4, -1) < 0) {
			if (errno == EINTR)
				continue; /* an alarm */
			die("poll");
		}
		if (polled[CHILDREN + 2].revents)
			tick(polled[CHILDREN + 2].fd);
		for (int i = 0; i < CHILDREN; i++)
			if (polled[i].revents)
				hear(i);
		if (polled[CHILDREN].revents)
			tell(polled[CHILDREN].fd);
		if (polled[CHILDREN + 1].revents)
			signalled(polled[CHILDREN + 1].fd);
		if (polled[CHILDREN + 3].revents)
			halve(polled[CHILDREN + 3].fd);
	}
}
