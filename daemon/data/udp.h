/*
 * The UDP side: one socket for each family on one port, datagrams in batches.
 *
 * A message is a run of datagrams of one length that lie behind each other in memory; only the
 * last may be shorter. The kernel takes a run with one system call and cuts it up itself
 * (UDP_SEGMENT), as late as it can: on a veth not at all. It hands received runs over in the same
 * form (UDP_GRO). Where it cannot, runs are sent as single datagrams, and arrive as such.
 *
 * How this works: each datagram that arrives tells which of our addresses it was sent to
 * (IP_PKTINFO); answers leave from that address, so a host with several does not confuse its
 * peer or a stateful firewall. Address, port and pinned local address together are a udp_path.
 * The byte with DSCP and ECN travels along in both directions.
 */
#ifndef DATA_UDP_H
#define DATA_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netaddr.h"

/* Datagrams of one system call. */
#define UDP_BATCH 64
/* Longest payload of a datagram (IPv4: 65,535 - 20 - 8). */
#define UDP_DATAGRAM_MAX 65507
/* Longest run in bytes that the kernel passes on whole: with the headers of IPv6 and Ethernet it
 * must fit the usual gso_max_size of 65,536. */
#define UDP_RUN_LEN_MAX 65473
/* Longest run in datagrams (kernel udp.h, UDP_MAX_SEGMENTS; 128 since Linux 6.9). */
#define UDP_RUN_MAX 64

/* Both sockets. Start with UDP_NULL; udp_close() may be called at any time. */
struct udp {
	int fd4;          /* -1: this host has no IPv4 */
	int fd6;          /* -1: this host has no IPv6 */
	uint16_t port;    /* host order */
	bool has_segment; /* the kernel takes runs: it says so, and probe.h finds out */
	bool has_gro;     /* the kernel hands over runs */
};

#define UDP_NULL                                                                                   \
	{                                                                                          \
		.fd4 = -1, .fd6 = -1                                                               \
	}

/* Where to send, and from which of our addresses. `remote` AF_UNSPEC: nowhere yet. */
struct udp_path {
	union netaddr remote;
	bool has_source;
	union {
		struct in_addr in4;
		struct in6_addr in6;
	} source;               /* of remote's family */
	unsigned int source_if; /* interface of a link-local source, else 0 */
};

/* One run to send. */
struct udp_message {
	uint8_t *data;      /* only read; an iovec knows no const */
	size_t len;         /* of the whole run */
	size_t segment_len; /* of each datagram but the last; `len` for a single one */
	uint8_t tos;        /* DSCP and ECN */
};

/* One run that came. */
struct udp_datagram {
	uint8_t *data;      /* UDP_DATAGRAM_MAX bytes, the caller's */
	size_t len;         /* of the whole run */
	size_t segment_len; /* of each datagram but the last; at least 1 */
	uint8_t tos;
	struct udp_path path; /* the sender, and our address that it used */
};

/* What a router or the far host said about something that we sent (ICMP). */
struct udp_error {
	int error;            /* errno value: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, … */
	union netaddr remote; /* where we had sent to */
};

/*!
 * Opens and binds both sockets to the same port.
 * \param port    host order; 0 takes a free one
 * \param fwmark  SO_MARK of everything sent; 0: none
 * \return 0; -EADDRINUSE when the port is taken; -EPERM when the mark needs a right; -EACCES when
 *         the port does; -EAFNOSUPPORT when there is neither IPv4 nor IPv6
 */
int udp_open(struct udp *udp, uint16_t port, uint32_t fwmark);

/*!
 * Takes over sockets that another process has opened with udp_open(), with what waits in them. A
 * family that has no socket gets one, if this host has that family now. The mark is as it was:
 * udp_set_mark() changes it.
 * \param fd4   bound to IPv4, or -1
 * \param fd6   bound to IPv6, or -1
 * \param port  that they must have, host order; 0: any, but both the same
 * \param udp   on success both are the struct's; else they are untouched
 * \return 0; -ENXIO when they are no such sockets; -EADDRINUSE when the other family's port is
 *         taken; another negative errno
 */
int udp_adopt(int fd4, int fd6, uint16_t port, struct udp *udp);

/*!
 * Sets the mark of everything that is sent from now on.
 * \param fwmark  SO_MARK; 0: none
 * \return 0; -EPERM without CAP_NET_ADMIN, unless the mark is there already
 */
int udp_set_mark(const struct udp *udp, uint32_t fwmark);

/*!
 * Sets how much may wait in the sockets, beyond the system's limit where the right for that is
 * there.
 * \param send, receive  bytes; 0: as the kernel has it
 */
void udp_set_buffers(const struct udp *udp, unsigned int send, unsigned int receive);

/*!
 * Puts new sockets in the place of those that are in use, under the same descriptors: whoever uses
 * these goes on with the new ones, at any time.
 * \param from  closed afterwards, also after a failure
 * \return 0; -EAFNOSUPPORT when one has a family that the other lacks, -EMFILE: nothing has changed
 */
int udp_replace(struct udp *udp, struct udp *from);

/*!
 * Lets datagrams be fragmented on their way, by this host and by routers, or not: then only this
 * host does it, as far as it knows the path (ip(7), IP_PMTUDISC_DONT and IP_PMTUDISC_WANT). Runs
 * never are.
 */
void udp_allow_fragments(const struct udp *udp, bool is_allowed);

/*! Gives up received runs: datagrams arrive one by one from here on. */
void udp_disable_gro(struct udp *udp);

/*! Closes both sockets; safe twice. */
void udp_close(struct udp *udp);

/*! Whether a message is more than one datagram. */
static inline bool udp_is_run(const struct udp_message *message)
{
	return message->len > message->segment_len;
}

/*!
 * Sends messages to one path, in order, with one sendmmsg(2).
 * \param messages  runs only where udp->has_segment
 * \param n         1 to UDP_BATCH
 * \return how many were sent (1 to n), or negative errno when the first was refused: -EAGAIN when
 *         the socket is full, or ICMP errors come faster than calls; -EIO, -EINVAL or -EMSGSIZE
 *         when the kernel does not cut up this run on this way; -EINVAL, -EADDRNOTAVAIL,
 *         -ENETUNREACH and such may come from a pinned source that is gone; an error that an
 *         earlier ICMP message left on the socket is not reported here but by udp_read_error()
 */
int udp_send(const struct udp *udp, const struct udp_path *path, const struct udp_message *messages,
	     size_t n);

/*!
 * Sends the datagrams of one run singly, with one sendmmsg(2). Unlike a run, a single datagram
 * may be fragmented on its way.
 * \return how many of its datagrams were sent, from the first; negative errno as udp_send()
 */
int udp_send_singly(const struct udp *udp, const struct udp_path *path,
		    const struct udp_message *run);

/*!
 * Receives what is waiting, with one recvmmsg(2).
 * \param fd         one of the two sockets
 * \param datagrams  `n` places, 1 to UDP_BATCH, with their buffers
 * \return how many came, each as udp_control_read() fills it; -EAGAIN when none
 */
int udp_receive(int fd, struct udp_datagram *datagrams, size_t n);

/*!
 * Takes one ICMP error from the error queue (ip(7), IP_RECVERR).
 * \return true when there was one
 */
bool udp_read_error(int fd, struct udp_error *ret);

/*! Whether remote end, pinned source and its interface are the same. */
bool udp_path_equal(const struct udp_path *a, const struct udp_path *b);

#endif
