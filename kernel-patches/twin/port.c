// SPDX-License-Identifier: GPL-2.0
/*
 * A network interface that falls silent for the switch, where each kernel has
 * one in the service's network: nothing goes out by it, and what comes in is kept
 * for the other kernel, or belongs to it. Its driver and its NIC work on. One that
 * opens again sends what was to be sent meanwhile. Shortly before the switch one
 * may keep just what begins or ends a connection: which ones there are then stays
 * as it is, and those go on.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <net/ip.h>
#include <net/sch_generic.h>

#include "twin_internal.h"

#define PORTS_MAX 4
#define HELD_MAX (4U << 20)	/* bytes; a full queue drops, or in STEADY lets pass */
#define FRAME_MAX (512U << 10)	/* more than any that was merged on its way in */

/*
 * Each holds a reference to this module. They change under rtnl_lock, which also
 * keeps the interface, and under ports_lock, for who has not got the other.
 */
static struct port {
	struct net_device *interface;	/* NULL: free */
	int index;
	u32 mode;			/* TWIN_PORT_* */
	unsigned int bytes;		/* held; under held.lock */
	struct sk_buff_head held;
} ports[PORTS_MAX];

static DEFINE_SPINLOCK(ports_lock);
static DECLARE_WAIT_QUEUE_HEAD(ports_wait);

static struct port *find(const struct net_device *interface)
{
	unsigned int i;

	for (i = 0; i < PORTS_MAX; i++)
		if (ports[i].interface == interface)
			return &ports[i];
	return NULL;
}

/* Where the TCP header is; negative: there is none, or not where most have it. */
static int tcp_offset(const struct sk_buff *skb)
{
	int start = skb_network_offset(skb);
	const struct ipv6hdr *ipv6;
	struct ipv6hdr ipv6_copy;
	const struct iphdr *ip;
	struct iphdr ip_copy;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		ip = skb_header_pointer(skb, start, sizeof(ip_copy), &ip_copy);
		if (!ip || ip->version != 4 || ip->ihl < 5 ||
		    ip->protocol != IPPROTO_TCP ||
		    (ip->frag_off & htons(IP_OFFSET)))
			return -1;
		return start + ip->ihl * 4;
	case htons(ETH_P_IPV6):
		ipv6 = skb_header_pointer(skb, start, sizeof(ipv6_copy),
					  &ipv6_copy);
		if (!ipv6 || ipv6->version != 6 || ipv6->nexthdr != IPPROTO_TCP)
			return -1;
		return start + sizeof(ipv6_copy);
	default:
		return -1;
	}
}

/*
 * Whether it is a TCP segment that begins or ends a connection. What answers a SYN
 * of this host's lets one that it has begun come about. Of those that were merged
 * on their way in the first one's header has the FIN of any.
 */
static bool begins_or_ends(const struct sk_buff *skb)
{
	int offset = tcp_offset(skb);
	const struct tcphdr *tcp;
	struct tcphdr copy;

	if (offset < 0)
		return false;
	tcp = skb_header_pointer(skb, offset, sizeof(copy), &copy);
	return tcp && ((tcp->syn && !tcp->ack) || tcp->fin || tcp->rst);
}

/* One of a VLAN is for an interface above, which this kernel has not. */
static bool is_of_vlan(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb) && skb_vlan_tag_get_id(skb);
}

static bool keeps(u32 mode, const struct sk_buff *skb)
{
	switch (mode) {
	case TWIN_PORT_HOLD:
		return !is_of_vlan(skb);
	case TWIN_PORT_LEAVE:
		return skb->pkt_type == PACKET_HOST && !is_of_vlan(skb);
	case TWIN_PORT_STEADY:
		return skb->pkt_type == PACKET_HOST && !is_of_vlan(skb) &&
		       begins_or_ends(skb);
	default:
		return false;
	}
}

static bool is_held(u32 mode)
{
	return mode == TWIN_PORT_HOLD || mode == TWIN_PORT_LEAVE;
}

/* Sends nothing, and receives nothing either. */
static bool is_silent(u32 mode)
{
	return mode != TWIN_PORT_OPEN && mode != TWIN_PORT_STEADY;
}

static bool keep(struct port *port, struct sk_buff *skb)
{
	bool room;

	spin_lock(&port->held.lock);
	/* Asked again: who opens the port takes what is here under this lock. */
	room = keeps(port->mode, skb) &&
	       port->bytes + skb->truesize <= HELD_MAX;
	if (room) {
		port->bytes += skb->truesize;
		__skb_queue_tail(&port->held, skb);
	}
	spin_unlock(&port->held.lock);
	if (room)
		wake_up(&ports_wait);
	return room;
}

static rx_handler_result_t receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct port *port = rcu_dereference(skb->dev->rx_handler_data);
	u32 mode = READ_ONCE(port->mode);

	if (skb->pkt_type == PACKET_LOOPBACK ||
	    (!is_silent(mode) && !keeps(mode, skb)))
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	*pskb = skb;
	if (!skb)
		return RX_HANDLER_CONSUMED;
	if (keeps(mode, skb)) {
		if (keep(port, skb))
			return RX_HANDLER_CONSUMED;
		/* It was opened meanwhile, or is steady and full: nothing is lost. */
		if (!is_silent(READ_ONCE(port->mode)))
			return RX_HANDLER_PASS;
	}
	kfree_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static void set_mode(struct port *port, u32 mode)
{
	spin_lock_bh(&ports_lock);
	spin_lock(&port->held.lock);
	WRITE_ONCE(port->mode, mode);
	spin_unlock(&port->held.lock);
	spin_unlock_bh(&ports_lock);
	wake_up_all(&ports_wait);
}

/* To the protocols here, as if it came only now. */
static void come_in(struct sk_buff *skb)
{
	local_bh_disable();
	netif_receive_skb(skb);
	local_bh_enable();
}

static void release_held(struct port *port)
{
	struct sk_buff_head frames;
	struct sk_buff *skb;

	__skb_queue_head_init(&frames);
	spin_lock_bh(&port->held.lock);
	skb_queue_splice_init(&port->held, &frames);
	port->bytes = 0;
	spin_unlock_bh(&port->held.lock);
	while ((skb = __skb_dequeue(&frames)))
		come_in(skb);
}

static struct port *claim(struct net_device *interface)
{
	struct port *port = find(NULL);
	int err;

	if (!port)
		return ERR_PTR(-ENOSPC);
	skb_queue_head_init(&port->held);
	port->bytes = 0;
	port->mode = TWIN_PORT_OPEN;
	err = netdev_rx_handler_register(interface, receive, port);
	if (err)
		return ERR_PTR(err);
	__module_get(THIS_MODULE);
	spin_lock_bh(&ports_lock);
	port->index = interface->ifindex;
	port->interface = interface;
	spin_unlock_bh(&ports_lock);
	return port;
}

/* The interface is open, or going away. */
static void forget(struct port *port)
{
	struct net_device *interface = port->interface;

	set_mode(port, TWIN_PORT_OPEN);
	netdev_rx_handler_unregister(interface);
	spin_lock_bh(&ports_lock);
	port->interface = NULL;
	spin_unlock_bh(&ports_lock);
	wake_up_all(&ports_wait);
	skb_queue_purge(&port->held);
	module_put(THIS_MODULE);
}

/*
 * A frozen queue is one that somebody has locked to change the interface: what is
 * to be sent waits in front of it. A stopped one would not do, a driver starts
 * that again whenever it has looked after its rings (virtnet_poll_cleantx()).
 */
static void freeze(struct net_device *interface, bool frozen)
{
	unsigned int i;

	for (i = 0; i < interface->num_tx_queues; i++) {
		struct netdev_queue *queue = netdev_get_tx_queue(interface, i);

		/* Whoever is sending has sent when this is locked. */
		__netif_tx_lock_bh(queue);
		if (frozen)
			set_bit(__QUEUE_STATE_FROZEN, &queue->state);
		else
			clear_bit(__QUEUE_STATE_FROZEN, &queue->state);
		__netif_tx_unlock_bh(queue);
		if (!frozen && netif_running(interface))
			netif_schedule_queue(queue);
	}
}

/* Leaves what is held already where it is: first. */
static void restrict_to(struct port *port, u32 mode)
{
	if (is_silent(mode))
		freeze(port->interface, true);
	set_mode(port, mode);
	/* What was on its way to the protocols has got there. */
	synchronize_net();
}

static void open(struct port *port)
{
	bool was_silent = is_silent(port->mode);

	set_mode(port, TWIN_PORT_OPEN);
	if (was_silent)
		freeze(port->interface, false);
	release_held(port);
}

/* What is sent by a queue that takes nothing in goes out even if that is frozen. */
static bool has_queues(struct net_device *interface)
{
	unsigned int i;

	for (i = 0; i < interface->num_tx_queues; i++) {
		struct netdev_queue *queue = netdev_get_tx_queue(interface, i);

		if (!rtnl_dereference(queue->qdisc)->enqueue)
			return false;
	}
	return true;
}

static int change(struct net_device *interface, u32 mode)
{
	struct port *port = find(interface);

	/* One that is silent can always go back, whatever else has changed. */
	if (mode == TWIN_PORT_FREE) {
		if (!port)
			return -ENOENT;
		open(port);
		forget(port);
		return 0;
	}
	if (mode == TWIN_PORT_OPEN && port) {
		open(port);
		return 0;
	}
	/* What it holds would have to be sorted, and nobody needs that. */
	if (mode == TWIN_PORT_STEADY && port && is_silent(port->mode))
		return -EALREADY;
	if (mode != TWIN_PORT_OPEN && !netif_running(interface))
		return -ENETDOWN;
	if (twin_watchdog_thaws(interface) ||
	    (netif_running(interface) && !has_queues(interface)))
		return -EOPNOTSUPP;
	if (!port)
		port = claim(interface);
	if (IS_ERR(port))
		return PTR_ERR(port);
	if (mode != TWIN_PORT_OPEN)
		restrict_to(port, mode);
	return 0;
}

int twin_port_set(u32 index, u32 mode)
{
	bool announces = mode == TWIN_PORT_ANNOUNCE;
	struct net_device *interface;
	int err = -ENODEV;

	if (mode > TWIN_PORT_STEADY)
		return -EINVAL;
	rtnl_lock();
	interface = __dev_get_by_index(&init_net, index);
	if (interface) {
		err = change(interface, announces ? TWIN_PORT_OPEN : mode);
		if (!err && announces)
			dev_hold(interface);
	}
	rtnl_unlock();
	if (!err && announces) {
		netdev_notify_peers(interface);
		dev_put(interface);
	}
	return err;
}

/* What a frame takes up where it is handed over. */
static u64 frame_size(u32 length)
{
	return sizeof(struct twin_frame) + ALIGN((u64)length, 8);
}

/* One that fits; NULL: none is there, or none fits. */
static struct sk_buff *next_frame(u32 index, u64 room, int *err)
{
	struct sk_buff *skb = NULL;
	unsigned int i;

	*err = -ENOENT;
	spin_lock_bh(&ports_lock);
	for (i = 0; i < PORTS_MAX; i++) {
		struct port *port = &ports[i];

		if (!port->interface || port->index != index ||
		    !is_held(port->mode))
			continue;
		*err = 0;
		spin_lock(&port->held.lock);
		skb = skb_peek(&port->held);
		if (skb && frame_size(skb->mac_len + skb->len) > room) {
			*err = -EMSGSIZE;
			skb = NULL;
		}
		if (skb) {
			__skb_unlink(skb, &port->held);
			port->bytes -= skb->truesize;
		}
		spin_unlock(&port->held.lock);
	}
	spin_unlock_bh(&ports_lock);
	return skb;
}

static int put_frame(struct sk_buff *skb, u8 __user *to)
{
	struct twin_frame frame = { .length = skb->mac_len + skb->len };
	u8 *copy = kvmalloc(frame.length, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	/* The checksum of a frame that never was on a wire may not be there yet. */
	if (skb->ip_summed == CHECKSUM_UNNECESSARY ||
	    skb->ip_summed == CHECKSUM_PARTIAL)
		frame.flags = TWIN_FRAME_CHECKED;
	err = skb_copy_bits(skb, -(int)skb->mac_len, copy, frame.length);
	if (!err && (copy_to_user(to, &frame, sizeof(frame)) ||
		     copy_to_user(to + sizeof(frame), copy, frame.length)))
		err = -EFAULT;
	kvfree(copy);
	return err;
}

/* Waits for the first frame; then takes what is there and fits. */
int twin_port_take(u32 index, u8 __user *to, u64 room, u64 *length)
{
	struct sk_buff *skb;
	int err, interrupted;

	*length = 0;
	interrupted = wait_event_interruptible(ports_wait,
					       (skb = next_frame(index, room, &err)) ||
					       err);
	if (interrupted)
		return interrupted;
	if (!skb)
		return err;
	while (skb) {
		err = put_frame(skb, to + *length);
		if (!err)
			*length += frame_size(skb->mac_len + skb->len);
		kfree_skb(skb);
		if (err)
			return err;
		skb = next_frame(index, room - *length, &err);
	}
	return 0;
}

static int give_frame(struct net_device *interface, const u8 __user *from,
		      const struct twin_frame *frame)
{
	struct sk_buff *skb = alloc_skb(NET_IP_ALIGN + frame->length, GFP_KERNEL);

	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, NET_IP_ALIGN);
	if (copy_from_user(skb_put(skb, frame->length), from, frame->length)) {
		kfree_skb(skb);
		return -EFAULT;
	}
	skb->protocol = eth_type_trans(skb, interface);
	if (frame->flags & TWIN_FRAME_CHECKED)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	come_in(skb);
	return 0;
}

static int give_frames(struct net_device *interface, const u8 __user *from,
		       u64 length)
{
	struct twin_frame frame;
	u64 size;
	int err;

	for (; length; from += size, length -= size) {
		if (length < sizeof(frame))
			return -EINVAL;
		if (copy_from_user(&frame, from, sizeof(frame)))
			return -EFAULT;
		size = frame_size(frame.length);
		if (frame.length < ETH_HLEN || frame.length > FRAME_MAX ||
		    frame.flags & ~TWIN_FRAME_CHECKED || size > length)
			return -EINVAL;
		err = give_frame(interface, from + sizeof(frame), &frame);
		if (err)
			return err;
	}
	return 0;
}

/* The interface receives what the other kernel's has received. */
int twin_port_give(u32 index, const u8 __user *from, u64 length)
{
	struct net_device *interface = dev_get_by_index(&init_net, index);
	int err;

	if (!interface)
		return -ENODEV;
	err = give_frames(interface, from, length);
	dev_put(interface);
	return err;
}

static int interface_event(struct notifier_block *block, unsigned long event,
			   void *pointer)
{
	struct net_device *interface = netdev_notifier_info_to_dev(pointer);
	struct port *port = find(interface);

	if (port && event == NETDEV_UNREGISTER) {
		/* It may only be on its way into another network namespace. */
		if (is_silent(port->mode))
			freeze(interface, false);
		forget(port);
	}
	return NOTIFY_DONE;
}

static struct notifier_block interface_notifier = {
	.notifier_call = interface_event,
};

int twin_port_init(void)
{
	return register_netdevice_notifier(&interface_notifier);
}

void twin_port_exit(void)
{
	unregister_netdevice_notifier(&interface_notifier);
}
