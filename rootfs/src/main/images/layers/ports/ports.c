// SPDX-License-Identifier: Apache-2.0
/*
 * Asks the twin module for what it must refuse of an interface that is a port, and takes
 * interfaces away that are one. Prints a line "ok NAME" or "bad NAME WHY" for each, then "end".
 * The interfaces are taps: each has queues, what is written to it comes in by it, what it
 * sends can be read, and it is gone when it is closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../../../kernel-patches/twin/twin.h"

#define PORT 7077
#define PORTS_MAX 4
#define PATIENCE 10000	/* ms, for what must come */
#define SILENCE 300	/* ms, for what must not */
#define ROOM 4096

static int twin, control;

static void die(const char *what)
{
	printf("bad program %s: %s\n", what, strerror(errno));
	exit(1);
}

#define MUST(call) ({ long must_ = (long)(call); if (must_ == -1) die(#call); must_; })

static void tell(const char *name, bool good, const char *format, ...)
{
	va_list list;

	printf("%s %s ", good ? "ok" : "bad", name);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	fflush(stdout);
}

static void is(const char *name, int wanted, int found)
{
	tell(name, wanted == found, "%s", found ? strerrorname_np(found) : "0");
}

struct tap {
	char name[IFNAMSIZ];
	int fd;
	unsigned int index;
};

/* Each call gives the errno, 0 for none. */
static int set_port(unsigned int index, unsigned int mode)
{
	struct twin_port port = { .size = sizeof(port), .interface = index, .mode = mode };

	return ioctl(twin, TWIN_IOC_SET_PORT, &port) ? errno : 0;
}

static int take(unsigned int index, void *to, size_t room, size_t *length)
{
	struct twin_frames frames = { .size = sizeof(frames), .interface = index,
				      .address = (unsigned long)to, .length = room };
	int err = ioctl(twin, TWIN_IOC_TAKE_FRAMES, &frames) ? errno : 0;

	*length = frames.length;
	return err;
}

static int give(unsigned int index, const void *from, size_t length)
{
	struct twin_frames frames = { .size = sizeof(frames), .interface = index,
				      .address = (unsigned long)from, .length = length };

	return ioctl(twin, TWIN_IOC_GIVE_FRAMES, &frames) ? errno : 0;
}

static void bring(const char *name, bool up)
{
	struct ifreq request = {};

	strcpy(request.ifr_name, name);
	MUST(ioctl(control, SIOCGIFFLAGS, &request));
	request.ifr_flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
	MUST(ioctl(control, SIOCSIFFLAGS, &request));
}

/* One that is up and has the address 10.77.NUMBER.1. */
static struct tap tap_make(int number)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct tap tap = {};

	snprintf(tap.name, sizeof(tap.name), "port%d", number);
	strcpy(request.ifr_name, tap.name);
	tap.fd = MUST(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
	MUST(ioctl(tap.fd, TUNSETIFF, &request));
	tap.index = if_nametoindex(tap.name);
	memset(&request.ifr_ifru, 0, sizeof(request.ifr_ifru));
	address.sin_addr.s_addr = htonl(0x0a4d0001 | number << 8);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	MUST(ioctl(control, SIOCSIFADDR, &request));
	address.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&request.ifr_netmask, &address, sizeof(address));
	MUST(ioctl(control, SIOCSIFNETMASK, &request));
	bring(tap.name, true);
	return tap;
}

static unsigned short checksum(const void *data, size_t size)
{
	const unsigned short *word = data;
	unsigned long sum = 0;

	for (; size > 1; size -= 2)
		sum += *word++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A datagram of that text to the tap's own address; with a tag that has a priority only, or none. */
static size_t datagram(const struct tap *tap, int number, const char *text, bool tagged, char *to)
{
	unsigned char *ethernet = (unsigned char *)to;
	char *type = to + 2 * ETH_ALEN + (tagged ? 4 : 0);
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP };
	struct udphdr udp = { .source = htons(PORT), .dest = htons(PORT) };
	struct ifreq request = {};

	strcpy(request.ifr_name, tap->name);
	MUST(ioctl(control, SIOCGIFHWADDR, &request));
	memcpy(ethernet, request.ifr_hwaddr.sa_data, ETH_ALEN);
	memcpy(ethernet + ETH_ALEN, "\x02twin", ETH_ALEN);
	memcpy(to + 2 * ETH_ALEN, "\x81\x00\xe0\x00", 4);
	memcpy(type, "\x08\x00", 2);
	ip.tot_len = htons(sizeof(ip) + sizeof(udp) + strlen(text));
	ip.daddr = htonl(0x0a4d0001 | number << 8);
	ip.saddr = htonl(0x0a4d0002 | number << 8);
	ip.check = checksum(&ip, sizeof(ip));
	udp.len = htons(sizeof(udp) + strlen(text));
	memcpy(type + 2, &ip, sizeof(ip));
	memcpy(type + 2 + sizeof(ip), &udp, sizeof(udp));
	memcpy(type + 2 + sizeof(ip) + sizeof(udp), text, strlen(text));
	return type + 2 - to + sizeof(ip) + sizeof(udp) + strlen(text);
}

static void comes_in(const struct tap *tap, int number, const char *text, bool tagged)
{
	char frame[ROOM];
	size_t size = datagram(tap, number, text, tagged, frame);

	MUST(write(tap->fd, frame, size));
}

static bool readable(int fd, int ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, ms) == 1;
}

/* Whether that text is the next one to arrive at the socket; NULL: nothing arrives. */
static bool arrives(int socket, const char *text)
{
	char buffer[ROOM];
	ssize_t size;

	if (!text)
		return !readable(socket, SILENCE);
	if (!readable(socket, PATIENCE))
		return false;
	size = recv(socket, buffer, sizeof(buffer), 0);
	return size == (ssize_t)strlen(text) && !memcmp(buffer, text, size);
}

static int receiver(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	return fd;
}

/* A frame that nobody else sends, by the interface's queue. */
static void goes_out(unsigned int index, char mark)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = index,
				  .sll_protocol = htons(0x88b5), .sll_halen = ETH_ALEN };
	int fd = MUST(socket(AF_PACKET, SOCK_DGRAM, 0));
	char data[64];

	memset(to.sll_addr, 0xff, ETH_ALEN);
	memset(data, mark, sizeof(data));
	MUST(sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)));
	close(fd);
}

/* Whether such a frame is sent, among what the kernel sends by itself: of that counts ARP. */
static bool is_sent_among(const struct tap *tap, char mark, int ms, unsigned int *arp)
{
	char frame[ROOM];

	*arp = 0;
	while (readable(tap->fd, ms)) {
		ssize_t size = read(tap->fd, frame, sizeof(frame));

		if (size > ETH_HLEN && !memcmp(frame + 2 * ETH_ALEN, "\x88\xb5", 2) &&
		    frame[ETH_HLEN] == mark)
			return true;
		if (size > ETH_HLEN && !memcmp(frame + 2 * ETH_ALEN, "\x08\x06", 2))
			++*arp;
	}
	return false;
}

static bool is_sent(const struct tap *tap, char mark, int ms)
{
	unsigned int arp;

	return is_sent_among(tap, mark, ms, &arp);
}

static void refusals(void)
{
	struct twin_port odd = { .size = sizeof(odd), .interface = 1, .reserved = 1 };
	struct tap tap = tap_make(1);
	char room[ROOM];
	size_t length;

	is("no-interface", ENODEV, set_port(999999, TWIN_PORT_HOLD));
	is("no-interface-freed", ENODEV, set_port(999999, TWIN_PORT_FREE));
	is("no-interface-given", ENODEV, give(999999, room, 0));
	is("no-interface-taken", ENOENT, take(999999, room, sizeof(room), &length));
	is("no-port-freed", ENOENT, set_port(tap.index, TWIN_PORT_FREE));
	is("no-port-taken", ENOENT, take(tap.index, room, sizeof(room), &length));
	is("no-mode", EINVAL, set_port(tap.index, TWIN_PORT_ANNOUNCE + 1));
	is("reserved", EINVAL, ioctl(twin, TWIN_IOC_SET_PORT, &odd) ? errno : 0);
	is("no-queues", EOPNOTSUPP, set_port(if_nametoindex("lo"), TWIN_PORT_HOLD));
	bring(tap.name, false);
	is("down", ENETDOWN, set_port(tap.index, TWIN_PORT_HOLD));
	is("down-open", 0, set_port(tap.index, TWIN_PORT_OPEN));
	is("down-port", ENETDOWN, set_port(tap.index, TWIN_PORT_DISCARD));
	is("open-taken", ENOENT, take(tap.index, room, sizeof(room), &length));
	is("freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	is("freed-twice", ENOENT, set_port(tap.index, TWIN_PORT_FREE));
	close(tap.fd);
}

static int enslave(struct tap *tap, int request)
{
	struct ifreq bridge = { .ifr_name = "bridge0", .ifr_ifindex = tap->index };

	return ioctl(control, request, &bridge) ? errno : 0;
}

static void bridge(void)
{
	struct tap tap = tap_make(1);

	MUST(ioctl(control, SIOCBRADDBR, "bridge0"));
	is("enslaves", 0, enslave(&tap, SIOCBRADDIF));
	is("enslaved", EBUSY, set_port(tap.index, TWIN_PORT_HOLD));
	is("enslaved-open", EBUSY, set_port(tap.index, TWIN_PORT_OPEN));
	is("let-go", 0, enslave(&tap, SIOCBRDELIF));
	is("let-go-held", 0, set_port(tap.index, TWIN_PORT_HOLD));
	is("held-enslaves", EBUSY, enslave(&tap, SIOCBRADDIF));
	is("held-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	is("free-enslaves", 0, enslave(&tap, SIOCBRADDIF));
	close(tap.fd);
	MUST(ioctl(control, SIOCBRDELBR, "bridge0"));
}

static void too_many(void)
{
	struct tap taps[PORTS_MAX + 1];
	int last = PORTS_MAX;

	for (int i = 0; i <= PORTS_MAX; i++)
		taps[i] = tap_make(i + 1);
	for (int i = 0; i < PORTS_MAX; i++)
		is("one-of-four", 0, set_port(taps[i].index, TWIN_PORT_HOLD));
	is("fifth", ENOSPC, set_port(taps[last].index, TWIN_PORT_HOLD));
	is("second-freed", 0, set_port(taps[1].index, TWIN_PORT_FREE));
	is("fifth-then", 0, set_port(taps[last].index, TWIN_PORT_HOLD));
	/* Not freed: each goes away while it holds. */
	for (int i = 0; i <= PORTS_MAX; i++)
		close(taps[i].fd);
	taps[0] = tap_make(1);
	is("room-again", 0, set_port(taps[0].index, TWIN_PORT_OPEN));
	is("room-again-freed", 0, set_port(taps[0].index, TWIN_PORT_FREE));
	close(taps[0].fd);
}

static void frames(void)
{
	struct tap tap = tap_make(1);
	int socket = receiver();
	char room[ROOM], wanted[ROOM];
	struct twin_frame *frame = (void *)room;
	size_t size = datagram(&tap, 1, "first", false, wanted), length, none;

	comes_in(&tap, 1, "before", false);
	tell("open", arrives(socket, "before"), "");
	is("hold", 0, set_port(tap.index, TWIN_PORT_HOLD));
	comes_in(&tap, 1, "first", false);
	comes_in(&tap, 1, "second", false);
	comes_in(&tap, 1, "tagged", true);
	tell("holds", arrives(socket, NULL), "");
	is("too-little-room", EMSGSIZE, take(tap.index, room, sizeof(*frame), &length));
	is("one-byte-short", EMSGSIZE,
	   take(tap.index, room, sizeof(*frame) + (size + 7) / 8 * 8 - 1, &length));
	is("room-for-one", 0, take(tap.index, room, sizeof(*frame) + (size + 7) / 8 * 8, &length));
	tell("the-first", length == sizeof(*frame) + (size + 7) / 8 * 8 && frame->length == size &&
	     !memcmp(frame + 1, wanted, size), "%zu bytes", length);
	is("no-memory-there", EFAULT, take(tap.index, NULL, ROOM, &none));
	comes_in(&tap, 1, "fourth", false);
	goes_out(tap.index, 'h');
	tell("silent", !is_sent(&tap, 'h', SILENCE), "");
	is("reopened", 0, set_port(tap.index, TWIN_PORT_OPEN));
	tell("comes-in-later", arrives(socket, "tagged") && arrives(socket, "fourth"), "");
	tell("goes-out-later", is_sent(&tap, 'h', PATIENCE), "");

	is("given-short", EINVAL, give(tap.index, room, sizeof(*frame) - 1));
	frame->length = ETH_HLEN - 1;
	is("given-no-frame", EINVAL, give(tap.index, room, sizeof(room)));
	frame->length = sizeof(room);
	is("given-too-long", EINVAL, give(tap.index, room, sizeof(room)));
	frame->length = 0xffffffff;
	is("given-much-too-long", EINVAL, give(tap.index, room, sizeof(room)));
	frame->length = size;
	is("given-nowhere", EFAULT, give(tap.index, NULL, sizeof(room)));
	is("given", 0, give(tap.index, room, length));
	tell("given-arrives", arrives(socket, "first"), "");

	is("discard", 0, set_port(tap.index, TWIN_PORT_DISCARD));
	comes_in(&tap, 1, "lost", false);
	is("discard-taken", ENOENT, take(tap.index, room, sizeof(room), &none));
	is("freed-silent", 0, set_port(tap.index, TWIN_PORT_FREE));
	comes_in(&tap, 1, "after", false);
	tell("discarded", arrives(socket, "after"), "");
	close(socket);
	close(tap.fd);
}

/* Of its address, by ARP, only if it is told to. */
static void announces(void)
{
	struct tap tap = tap_make(1);
	unsigned int arp = 0;
	bool sent;

	is("announce-discards", 0, set_port(tap.index, TWIN_PORT_DISCARD));
	goes_out(tap.index, 'a');
	is("announce-opens", 0, set_port(tap.index, TWIN_PORT_OPEN));
	sent = is_sent_among(&tap, 'a', PATIENCE, &arp);
	tell("announce-waits", sent && !arp, "%u", arp);
	is("announce", 0, set_port(tap.index, TWIN_PORT_ANNOUNCE));
	goes_out(tap.index, 'b');
	sent = is_sent_among(&tap, 'b', PATIENCE, &arp);
	tell("announced", sent && arp, "%u", arp);
	is("announce-silent", 0, set_port(tap.index, TWIN_PORT_DISCARD));
	is("announce-both", 0, set_port(tap.index, TWIN_PORT_ANNOUNCE));
	goes_out(tap.index, 'c');
	sent = is_sent_among(&tap, 'c', PATIENCE, &arp);
	tell("announced-both", sent && arp, "%u", arp);
	is("announce-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	close(tap.fd);
}

/* A thread that waits for frames; its errno is there when it has ended. */
static struct {
	pthread_t thread;
	unsigned int index;
	_Atomic int tid;
	int err;
} waiter;

static void *wait_for_frames(void *unused)
{
	char room[ROOM];
	size_t length;

	waiter.tid = syscall(SYS_gettid);
	waiter.err = take(waiter.index, room, sizeof(room), &length);
	return unused;
}

/* Returns when it sleeps in the module. */
static void waiter_start(unsigned int index)
{
	char path[64], where[64];

	waiter.index = index;
	waiter.tid = 0;
	pthread_create(&waiter.thread, NULL, wait_for_frames, NULL);
	while (!waiter.tid)
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", waiter.tid);
	do {
		int fd = MUST(open(path, O_RDONLY));
		ssize_t size = read(fd, where, sizeof(where) - 1);

		close(fd);
		where[size > 0 ? size : 0] = 0;
	} while (!strstr(where, "twin_port_take"));
}

static int waiter_end(void)
{
	pthread_join(waiter.thread, NULL);
	return waiter.err;
}

static void waiters(void)
{
	struct tap tap = tap_make(1);

	MUST(set_port(tap.index, TWIN_PORT_HOLD) ? -1 : 0);
	waiter_start(tap.index);
	is("waits-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	is("freed-wakes", ENOENT, waiter_end());

	MUST(set_port(tap.index, TWIN_PORT_LEAVE) ? -1 : 0);
	waiter_start(tap.index);
	is("waits-discards", 0, set_port(tap.index, TWIN_PORT_DISCARD));
	is("discards-wakes", ENOENT, waiter_end());

	MUST(set_port(tap.index, TWIN_PORT_HOLD) ? -1 : 0);
	waiter_start(tap.index);
	comes_in(&tap, 1, "a frame", false);
	is("frame-wakes", 0, waiter_end());
	waiter_start(tap.index);
	close(tap.fd);
	is("gone-wakes", ENOENT, waiter_end());
	is("gone", ENODEV, set_port(tap.index, TWIN_PORT_OPEN));
}

/* Held frames and all. */
static void disappears(void)
{
	static const unsigned int modes[] = { TWIN_PORT_OPEN, TWIN_PORT_HOLD, TWIN_PORT_DISCARD,
					      TWIN_PORT_LEAVE };

	for (int i = 0; i < 100; i++) {
		struct tap tap = tap_make(1);

		MUST(set_port(tap.index, modes[i % 4]) ? -1 : 0);
		for (int j = 0; j < 10; j++)
			comes_in(&tap, 1, "never read", false);
		goes_out(tap.index, 'n');
		close(tap.fd);
	}
	tell("disappears", true, "");
}

/* No port in another network namespace: it must not stay silent there. */
static void moves(void)
{
	struct tap tap = tap_make(1);
	int ready[2], moved[2], status;
	char command[64], byte = 0;
	pid_t child;

	MUST(pipe(ready));
	MUST(pipe(moved));
	MUST(set_port(tap.index, TWIN_PORT_HOLD) ? -1 : 0);
	child = MUST(fork());
	if (!child) {
		MUST(unshare(CLONE_NEWNET));
		control = MUST(socket(AF_INET, SOCK_DGRAM, 0));
		MUST(write(ready[1], &byte, 1));
		MUST(read(moved[0], &byte, 1));
		bring(tap.name, true);
		goes_out(if_nametoindex(tap.name), 'm');
		/* The namespace lives until the parent has seen it. */
		MUST(read(moved[0], &byte, 1));
		_exit(0);
	}
	MUST(read(ready[0], &byte, 1));
	snprintf(command, sizeof(command), "ip link set %s netns %d", tap.name, child);
	status = system(command);
	MUST(write(moved[1], &byte, 1));
	tell("moved", !status, "status %d", status);
	tell("moved-speaks", is_sent(&tap, 'm', PATIENCE), "");
	is("moved-freed", ENODEV, set_port(tap.index, TWIN_PORT_FREE));
	MUST(write(moved[1], &byte, 1));
	MUST(waitpid(child, NULL, 0));
	close(tap.fd);
}

/* The queues' discipline is one that takes nothing in from now on. */
static void lose_queues(const struct tap *tap)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg body;
		struct rtattr kind;
		char name[8];
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_NEWQDISC,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.body = { .tcm_ifindex = tap->index, .tcm_parent = TC_H_ROOT },
		.kind = { .rta_len = RTA_LENGTH(8), .rta_type = TCA_KIND },
		.name = "noqueue",
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

	MUST(send(fd, &request, sizeof(request), 0));
	MUST(recv(fd, &answer, sizeof(answer), 0));
	is("loses-queues", 0, -answer.error.error);
	close(fd);
}

/* One that is silent may speak again, whatever has become of it. */
static void loses_queues(void)
{
	struct tap tap = tap_make(1);

	MUST(set_port(tap.index, TWIN_PORT_HOLD) ? -1 : 0);
	lose_queues(&tap);
	is("no-queues-then", EOPNOTSUPP, set_port(tap.index, TWIN_PORT_DISCARD));
	is("no-queues-open", 0, set_port(tap.index, TWIN_PORT_OPEN));
	goes_out(tap.index, 'q');
	tell("no-queues-speaks", is_sent(&tap, 'q', PATIENCE), "");
	is("no-queues-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	close(tap.fd);
}

int main(void)
{
	twin = MUST(open("/dev/twin", O_RDWR | O_CLOEXEC));
	control = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	refusals();
	bridge();
	too_many();
	frames();
	announces();
	waiters();
	disappears();
	moves();
	loses_queues();
	puts("end");
	return 0;
}
