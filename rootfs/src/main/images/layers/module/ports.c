// SPDX-License-Identifier: Apache-2.0
/*
 * Asks the twin module for what it must refuse of an interface that is a port, looks at what
 * those keep and let pass, and takes interfaces away that are one. Prints a line "ok NAME" or
 * "bad NAME WHY" for each, then "end". The interfaces are taps: each has queues, what is written
 * to it comes in by it, what it sends can be read, and it is gone when it is closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../../../kernel-patches/twin/twin.h"
#include "checks.h"

#define PORT 7077
#define PORTS_MAX 4
#define PATIENCE 10000	/* ms, for what must come */
#define SILENCE 300	/* ms, for what must not */
#define ROOM 4096
#define FLOOD 40000	/* more segments than a port has room for */

static int twin, control;

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
static struct tap tap_make_as(int number, int flags)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
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

static struct tap tap_make(int number)
{
	return tap_make_as(number, 0);
}

static unsigned short checksum(const void *data, size_t size)
{
	const char *at = data;
	unsigned long sum = 0;
	unsigned short word;

	for (; size > 1; size -= 2, at += 2) {
		memcpy(&word, at, 2);
		sum += word;
	}
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
	is("no-mode", EINVAL, set_port(tap.index, TWIN_PORT_STEADY + 1));
	is("reserved", EINVAL, ioctl(twin, TWIN_IOC_SET_PORT, &odd) ? errno : 0);
	is("no-queues", EOPNOTSUPP, set_port(if_nametoindex("lo"), TWIN_PORT_HOLD));
	is("no-queues-steady", EOPNOTSUPP, set_port(if_nametoindex("lo"), TWIN_PORT_STEADY));
	bring(tap.name, false);
	is("down", ENETDOWN, set_port(tap.index, TWIN_PORT_HOLD));
	is("down-open", 0, set_port(tap.index, TWIN_PORT_OPEN));
	is("down-port", ENETDOWN, set_port(tap.index, TWIN_PORT_DISCARD));
	is("down-steady", ENETDOWN, set_port(tap.index, TWIN_PORT_STEADY));
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

/* A client beyond the tap, of which a test says each segment. */
struct client {
	const struct tap *tap;
	unsigned short port;
	unsigned int seq, ack;	/* of what it sends next */
};

/* What a segment is sent in. */
enum wrapping {
	PLAIN,
	PRIORITY,	/* a tag that has a priority only */
	VLAN,
	OPTIONS,	/* of IPv4 */
	FIRST,		/* of several fragments */
	LATER,
	SHORT,		/* ends before the flags */
	V6,
	V6_EXTENDED,	/* with a header between IPv6's and TCP's */
};

static unsigned short tcp_checksum(const struct iphdr *ip, const void *segment, size_t size)
{
	struct {
		unsigned int source, destination;
		unsigned char zero, protocol;
		unsigned short size;
		unsigned char segment[ROOM];
	} all = { ip->saddr, ip->daddr, 0, IPPROTO_TCP, htons(size), {} };

	memcpy(all.segment, segment, size);
	return checksum(&all, 12 + (size + 1) / 2 * 2);
}

/* From 10.77.1.2, or of IPv6 from nowhere, to the port that is served. */
static size_t segment(const struct client *client, enum wrapping wrapping, int flags,
		      const char *text, char *to)
{
	struct iphdr ip = { .version = 4, .ihl = wrapping == OPTIONS ? 6 : 5, .ttl = 9,
			    .protocol = IPPROTO_TCP, .saddr = htonl(0x0a4d0102),
			    .daddr = htonl(0x0a4d0101) };
	struct ip6_hdr ipv6 = { .ip6_flow = htonl(6 << 28), .ip6_hlim = 9,
				.ip6_nxt = IPPROTO_TCP };
	struct tcphdr tcp = { .th_sport = htons(client->port), .th_dport = htons(PORT),
			      .th_seq = htonl(client->seq), .th_ack = htonl(client->ack),
			      .th_off = 5, .th_flags = flags, .th_win = htons(ROOM) };
	char body[ROOM], *at = to + 2 * ETH_ALEN;
	size_t size = sizeof(tcp) + strlen(text);
	struct ifreq request = {};

	strcpy(request.ifr_name, client->tap->name);
	MUST(ioctl(control, SIOCGIFHWADDR, &request));
	memcpy(to, request.ifr_hwaddr.sa_data, ETH_ALEN);
	memcpy(to + ETH_ALEN, "\x02twin", ETH_ALEN);
	memcpy(body, &tcp, sizeof(tcp));
	memcpy(body + sizeof(tcp), text, strlen(text) + 1);
	tcp.th_sum = tcp_checksum(&ip, body, size);
	memcpy(body, &tcp, sizeof(tcp));
	if (wrapping == SHORT)
		size = offsetof(struct tcphdr, th_flags);
	if (wrapping == PRIORITY || wrapping == VLAN) {
		memcpy(at, wrapping == VLAN ? "\x81\x00\x00\x05" : "\x81\x00\xe0\x00", 4);
		at += 4;
	}
	if (wrapping == V6 || wrapping == V6_EXTENDED) {
		size_t extension = wrapping == V6_EXTENDED ? 8 : 0;

		memcpy(at, "\x86\xdd", 2);
		ipv6.ip6_plen = htons(extension + size);
		if (extension)
			ipv6.ip6_nxt = IPPROTO_DSTOPTS;
		memcpy(at + 2, &ipv6, sizeof(ipv6));
		at += 2 + sizeof(ipv6);
		/* Padding, and that TCP follows. */
		memcpy(at, "\x06\x00\x01\x04\x00\x00\x00\x00", extension);
		at += extension;
	} else {
		memcpy(at, "\x08\x00", 2);
		ip.tot_len = htons(ip.ihl * 4 + size);
		ip.frag_off = htons(wrapping == FIRST ? IP_MF : wrapping == LATER ? 3 : 0);
		memset(at + 2, IPOPT_NOOP, ip.ihl * 4);
		memcpy(at + 2, &ip, sizeof(ip));
		ip.check = checksum(at + 2, ip.ihl * 4);
		memcpy(at + 2, &ip, sizeof(ip));
		at += 2 + ip.ihl * 4;
	}
	memcpy(at, body, size);
	return at + size - to;
}

static void sends(struct client *client, int flags, const char *text)
{
	char frame[ROOM];
	size_t size = segment(client, PLAIN, flags, text, frame);

	MUST(write(client->tap->fd, frame, size));
	client->seq += strlen(text) + !!(flags & (TH_SYN | TH_FIN));
}

static void segment_comes_in(const struct tap *tap, unsigned short port, int flags)
{
	struct client client = { .tap = tap, .port = port, .seq = 1 };

	sends(&client, flags, "");
}

/*
 * The next segment that is sent to a client, to any one if it has no port, which is its from
 * then on; false: none is. Counts ARP meanwhile.
 */
static bool gets(struct client *client, int ms, struct tcphdr *tcp, char *text, unsigned int *arp)
{
	char frame[ROOM];

	while (readable(client->tap->fd, ms)) {
		ssize_t size = read(client->tap->fd, frame, sizeof(frame));
		struct iphdr ip;
		size_t header;

		*arp += size > ETH_HLEN && !memcmp(frame + 2 * ETH_ALEN, "\x08\x06", 2);
		if (size < ETH_HLEN + (int)(sizeof(ip) + sizeof(*tcp)) ||
		    memcmp(frame + 2 * ETH_ALEN, "\x08\x00", 2))
			continue;
		memcpy(&ip, frame + ETH_HLEN, sizeof(ip));
		memcpy(tcp, frame + ETH_HLEN + sizeof(ip), sizeof(*tcp));
		if (ip.protocol != IPPROTO_TCP ||
		    (client->port && tcp->th_dport != htons(client->port)))
			continue;
		client->port = ntohs(tcp->th_dport);
		header = sizeof(ip) + tcp->th_off * 4;
		size = ntohs(ip.tot_len) - header;
		memcpy(text, frame + ETH_HLEN + header, size);
		text[size] = 0;
		client->ack = ntohl(tcp->th_seq) + size + !!(tcp->th_flags & (TH_SYN | TH_FIN));
		return true;
	}
	return false;
}

static bool is_answered(struct client *client, int flags, int ms)
{
	unsigned int arp = 0;
	struct tcphdr tcp;
	char text[ROOM];

	return gets(client, ms, &tcp, text, &arp) && (tcp.th_flags & ~TH_PUSH) == flags;
}

static bool is_told(struct client *client, const char *text)
{
	unsigned int arp = 0;
	struct tcphdr tcp;
	char found[ROOM];

	/* Acknowledgments may come before. */
	while (gets(client, PATIENCE, &tcp, found, &arp))
		if (*found)
			return !strcmp(found, text);
	return false;
}

/* The server's end of a connection that this client makes. */
static int connects(struct client *client, int listener)
{
	sends(client, TH_SYN, "");
	if (!is_answered(client, TH_SYN | TH_ACK, PATIENCE))
		return -1;
	sends(client, TH_ACK, "");
	if (!readable(listener, PATIENCE))
		return -1;
	return MUST(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

/* Nothing, and the connection's end. */
static bool ends(int connection)
{
	char byte;

	return readable(connection, PATIENCE) && !recv(connection, &byte, 1, 0);
}

static bool is_reset(int connection)
{
	char byte;

	return readable(connection, PATIENCE) && recv(connection, &byte, 1, 0) == -1 &&
	       errno == ECONNRESET;
}

static int server(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), one = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	MUST(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	MUST(listen(fd, 16));
	return fd;
}

/* A neighbour that need not be asked for. */
static void knows_clients(const struct tap *tap)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a4d0102) };
	struct arpreq request = { .arp_flags = ATF_COM | ATF_PERM };

	memcpy(&request.arp_pa, &address, sizeof(address));
	request.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(request.arp_ha.sa_data, "\x02twin", ETH_ALEN);
	strcpy(request.arp_dev, tap->name);
	MUST(ioctl(control, SIOCSARP, &request));
}

/* A frame of which the kernel gets no more than the link-layer header in one piece. */
static void comes_in_scattered(const struct tap *tap, char *frame, size_t size)
{
	struct iovec pieces[] = { { frame, ETH_HLEN }, { frame + ETH_HLEN, size - ETH_HLEN } };

	MUST(writev(tap->fd, pieces, 2));
}

/* Such a tap; nothing puts the headers together before they are looked at. */
static struct tap tap_make_scattered(int number)
{
	struct tap tap = tap_make_as(number, IFF_NAPI | IFF_NAPI_FRAGS);
	struct ethtool_value no_gro = { .cmd = ETHTOOL_SGRO };
	struct ifreq request = { .ifr_data = (void *)&no_gro };

	strcpy(request.ifr_name, tap.name);
	MUST(ioctl(control, SIOCETHTOOL, &request));
	return tap;
}

/* Of all that comes in just what begins or ends a connection is kept, in order. */
static void sorts(bool scattered)
{
	static const struct {
		enum wrapping wrapping;
		int flags;
		bool kept;
	} all[] = {
		{ PLAIN, TH_SYN, true }, { PLAIN, TH_ACK, false },
		{ PLAIN, TH_SYN | TH_ACK, false }, { PLAIN, TH_ACK | TH_PUSH | TH_URG, false },
		{ PLAIN, TH_FIN | TH_ACK, true }, { PLAIN, 0, false },
		{ PLAIN, TH_RST, true }, { VLAN, TH_SYN, false },
		{ PRIORITY, TH_SYN, true }, { PRIORITY, TH_ACK, false },
		{ OPTIONS, TH_SYN, true }, { OPTIONS, TH_ACK, false },
		{ FIRST, TH_FIN | TH_ACK, true }, { LATER, TH_SYN, false },
		{ SHORT, TH_SYN, false }, { V6_EXTENDED, TH_SYN, false },
		{ V6, TH_SYN, true }, { V6, TH_ACK, false },
		{ V6, TH_RST | TH_ACK, true },
	};
	struct tap tap = scattered ? tap_make_scattered(1) : tap_make(1);
	char room[4 * ROOM], frame[ROOM];
	bool right = true;
	size_t length, at = 0;

	is("sorts", 0, set_port(tap.index, TWIN_PORT_STEADY));
	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct client client = { .tap = &tap, .port = 2000 + i };
		size_t size = segment(&client, all[i].wrapping, all[i].flags, "text", frame);

		if (scattered)
			comes_in_scattered(&tap, frame, size);
		else
			MUST(write(tap.fd, frame, size));
	}
	is("sorted", 0, set_port(tap.index, TWIN_PORT_HOLD));
	is("sorted-taken", 0, take(tap.index, room, sizeof(room), &length));
	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct client client = { .tap = &tap, .port = 2000 + i };
		struct twin_frame *kept = (void *)(room + at);
		size_t size = segment(&client, all[i].wrapping, all[i].flags, "text", frame);

		if (!all[i].kept)
			continue;
		/* A tag is no part of what is taken. */
		if (all[i].wrapping == PRIORITY) {
			size -= 4;
			memmove(frame + 2 * ETH_ALEN, frame + 2 * ETH_ALEN + 4, size - 2 * ETH_ALEN);
		}
		if (at >= length || kept->length != size || memcmp(kept + 1, frame, size)) {
			tell("sorted-right", false, "segment %u", i);
			right = false;
			break;
		}
		at += sizeof(*kept) + (size + 7) / 8 * 8;
	}
	tell("sorted-all", right && at == length, "%zu of %zu bytes", at, length);
	is("sorted-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	close(tap.fd);
}

/* Connections go on, and none begins or ends. */
static void steady(void)
{
	struct tap tap = tap_make(1);
	struct client lasting = { .tap = &tap, .port = 3001, .seq = 100 };
	struct client ending = { .tap = &tap, .port = 3002, .seq = 200 };
	struct client resetting = { .tap = &tap, .port = 3003, .seq = 300 };
	struct client beginning = { .tap = &tap, .port = 3004, .seq = 400 };
	int datagrams = receiver(), listener = server();
	int lasts, ended, reset, begun;
	unsigned int arp = 0;
	char room[ROOM], text[ROOM];
	struct tcphdr tcp;
	size_t length;
	bool sent;

	knows_clients(&tap);
	lasts = connects(&lasting, listener);
	ended = connects(&ending, listener);
	reset = connects(&resetting, listener);
	tell("connected", lasts >= 0 && ended >= 0 && reset >= 0, "%d %d %d", lasts, ended, reset);

	is("steady", 0, set_port(tap.index, TWIN_PORT_STEADY));
	is("steady-twice", 0, set_port(tap.index, TWIN_PORT_STEADY));
	is("steady-taken", ENOENT, take(tap.index, room, sizeof(room), &length));
	sends(&beginning, TH_SYN, "");
	tell("steady-begins", !is_answered(&beginning, TH_SYN | TH_ACK, SILENCE), "");
	sends(&ending, TH_FIN | TH_ACK, "");
	sends(&resetting, TH_RST | TH_ACK, "");
	sends(&lasting, TH_PUSH | TH_ACK, "asked");
	tell("steady-receives", arrives(lasts, "asked"), "");
	MUST(send(lasts, "answered", 8, 0));
	tell("steady-sends", is_told(&lasting, "answered"), "");
	sends(&lasting, TH_ACK, "");
	comes_in(&tap, 1, "a datagram", false);
	tell("steady-others", arrives(datagrams, "a datagram"), "");
	goes_out(tap.index, 's');
	tell("steady-speaks", is_sent(&tap, 's', PATIENCE), "");
	tell("steady-ends", !readable(ended, SILENCE), "");
	tell("steady-resets", !readable(reset, 0), "");

	is("steady-opens", 0, set_port(tap.index, TWIN_PORT_OPEN));
	sent = gets(&beginning, PATIENCE, &tcp, text, &arp);
	tell("begins-later", sent && tcp.th_flags == (TH_SYN | TH_ACK), "");
	tell("begins-quietly", !arp, "%u", arp);
	sends(&beginning, TH_ACK, "");
	begun = readable(listener, PATIENCE) ? MUST(accept(listener, NULL, NULL)) : -1;
	sends(&beginning, TH_PUSH | TH_ACK, "begun");
	tell("begun", begun >= 0 && arrives(begun, "begun"), "");
	tell("ends-later", ends(ended), "");
	tell("resets-later", is_reset(reset), "");

	is("steady-again", 0, set_port(tap.index, TWIN_PORT_STEADY));
	sends(&lasting, TH_FIN | TH_ACK, "");
	is("steady-announces", 0, set_port(tap.index, TWIN_PORT_ANNOUNCE));
	goes_out(tap.index, 't');
	sent = is_sent_among(&tap, 't', PATIENCE, &arp);
	tell("steady-announced", sent && arp, "%u", arp);
	tell("announced-ends", ends(lasts), "");
	is("steady-last", 0, set_port(tap.index, TWIN_PORT_STEADY));
	sends(&beginning, TH_FIN | TH_ACK, "");
	is("steady-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	tell("freed-ends", begun >= 0 && ends(begun), "");
	close(begun);
	close(lasts);
	close(ended);
	close(reset);
	close(listener);
	close(datagrams);
	close(tap.fd);
}

/* What was kept before all was is the first of it, whether it comes in or is taken. */
static void steady_holds(void)
{
	static const unsigned int silent[] = { TWIN_PORT_HOLD, TWIN_PORT_DISCARD, TWIN_PORT_LEAVE };
	struct tap tap = tap_make(1);
	struct client lasting = { .tap = &tap, .port = 4001, .seq = 100 };
	struct client any = { .tap = &tap };
	struct client first = { .tap = &tap, .port = 4004, .seq = 1 };
	int datagrams = receiver(), listener = server();
	int lasts;
	unsigned int arp = 0;
	struct tcphdr tcp;
	bool answered;
	char room[ROOM], wanted[ROOM], text[ROOM];
	struct twin_frame *frame = (void *)room;
	size_t size = segment(&first, PLAIN, TH_SYN, "", wanted), length;

	knows_clients(&tap);
	lasts = connects(&lasting, listener);
	is("settles", 0, set_port(tap.index, TWIN_PORT_STEADY));
	segment_comes_in(&tap, 4002, TH_SYN);
	sends(&lasting, TH_PUSH | TH_ACK, "before");
	tell("settled", lasts >= 0 && arrives(lasts, "before"), "");
	is("settled-holds", 0, set_port(tap.index, TWIN_PORT_HOLD));
	segment_comes_in(&tap, 4003, TH_SYN);
	sends(&lasting, TH_PUSH | TH_ACK, "held");
	comes_in(&tap, 1, "held", false);
	goes_out(tap.index, 'x');
	tell("settled-silent", !is_sent(&tap, 'x', SILENCE), "");
	tell("settled-held", !readable(lasts, 0) && !readable(datagrams, 0), "");
	is("settled-opens", 0, set_port(tap.index, TWIN_PORT_OPEN));
	/* Connections that there are, and were before, may have something to say, too. */
	do {
		any.port = 0;
		answered = gets(&any, PATIENCE, &tcp, text, &arp);
	} while (answered && tcp.th_flags != (TH_SYN | TH_ACK));
	tell("first-is-first", any.port == 4002, "%u", any.port);
	any.port = 4003;
	tell("second", is_answered(&any, TH_SYN | TH_ACK, PATIENCE), "");
	tell("held-arrives", arrives(lasts, "held") && arrives(datagrams, "held"), "");

	is("settles-taken", 0, set_port(tap.index, TWIN_PORT_STEADY));
	segment_comes_in(&tap, 4004, TH_SYN);
	is("settled-leaves", 0, set_port(tap.index, TWIN_PORT_LEAVE));
	comes_in(&tap, 1, "second", false);
	is("first-taken", 0,
	   take(tap.index, room, sizeof(*frame) + (size + 7) / 8 * 8, &length));
	tell("first-taken-first", frame->length == size && !memcmp(frame + 1, wanted, size), "");
	is("leaves-opens", 0, set_port(tap.index, TWIN_PORT_OPEN));
	tell("second-arrives", arrives(datagrams, "second"), "");
	is("settles-discards", 0, set_port(tap.index, TWIN_PORT_STEADY));
	is("settled-discards", 0, set_port(tap.index, TWIN_PORT_DISCARD));
	for (int i = 0; i < 3; i++) {
		is("silences", 0, set_port(tap.index, silent[i]));
		is("silent-settles", EALREADY, set_port(tap.index, TWIN_PORT_STEADY));
		goes_out(tap.index, 'y');
		tell("still-silent", !is_sent(&tap, 'y', SILENCE), "");
	}
	is("settled-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
	close(lasts);
	close(listener);
	close(datagrams);
	close(tap.fd);
}

/* Where there is no room for more it is received. */
static void steady_overflows(void)
{
	struct tap tap = tap_make(1);
	struct client any = { .tap = &tap, .port = 5000 };
	unsigned int arp = 0, sent = 0;
	struct tcphdr tcp;
	char text[ROOM];
	bool answered = false;

	knows_clients(&tap);
	MUST(set_port(tap.index, TWIN_PORT_STEADY) ? -1 : 0);
	/* Nobody serves the port. */
	for (; sent < FLOOD && !answered; sent++) {
		segment_comes_in(&tap, 5000, TH_SYN);
		answered = gets(&any, 0, &tcp, text, &arp);
	}
	tell("overflows", sent > 100 && answered && tcp.th_flags == (TH_RST | TH_ACK), "%u", sent);
	is("overflowed-freed", 0, set_port(tap.index, TWIN_PORT_FREE));
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
					      TWIN_PORT_LEAVE, TWIN_PORT_STEADY };

	for (int i = 0; i < 100; i++) {
		struct tap tap = tap_make(1);

		MUST(set_port(tap.index, modes[i % 5]) ? -1 : 0);
		for (int j = 0; j < 10; j++)
			comes_in(&tap, 1, "never read", false);
		segment_comes_in(&tap, PORT, TH_SYN);
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
	sorts(false);
	sorts(true);
	steady();
	steady_holds();
	steady_overflows();
	waiters();
	disappears();
	moves();
	loses_queues();
	puts("end");
	return 0;
}
