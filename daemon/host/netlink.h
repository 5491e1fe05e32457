/*
 * A conversation with the kernel's routing netlink, rtnetlink(7), and with netfilter's.
 *
 * How a message travels. A request gets the next sequence number and the ACK flag; what comes
 * back with that number is handed to a reader until the kernel's acknowledgement ends it. In a
 * batch only the last message asks to be acknowledged: the kernel works a send through in order
 * and always reports failures, so one acknowledgement closes the whole batch, and 130,000 routes
 * cost two thousand exchanges.
 *
 * Only netlink.c and the nl_*.c files, one for each kind of request, know libmnl. Others include
 * nl.h.
 */
#ifndef DAEMON_HOST_NETLINK_H
#define DAEMON_HOST_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "common/defs.h"

struct mnl_socket;

/* Bytes that any one request of ours may take; the writers of a batch rely on it. */
#define NETLINK_MESSAGE_MAX 256

/* One socket. Start with NETLINK_NULL; netlink_close() may be called at any time and twice. */
struct netlink {
	struct mnl_socket *socket; /* NULL: closed */
	uint32_t seq;              /* number of the last message sent */
};

#define NETLINK_NULL                                                                               \
	{                                                                                          \
		.socket = NULL                                                                     \
	}

/*!
 * Opens a socket for requests, close-on-exec. Every request on it blocks until the kernel has
 * answered, which it does within the call that sends it.
 * \return 0, or a negative errno (-EPROTONOSUPPORT: the kernel has no rtnetlink)
 */
int netlink_open(struct netlink *nl);

/*!
 * Opens a socket for requests to netfilter, close-on-exec; they are made with netlink_transact().
 * \return 0, or a negative errno (-EPROTONOSUPPORT: the kernel has no netfilter)
 */
int netlink_open_netfilter(struct netlink *nl);

/*!
 * Opens a non-blocking socket that hears multicast groups.
 * \param groups    RTNLGRP_* values
 * \param n_groups  number of them
 * \return 0 or a negative errno
 */
int netlink_open_events(struct netlink *nl, const unsigned int *groups, size_t n_groups);

/*!
 * The same for groups of netfilter, which CAP_NET_ADMIN may hear.
 *
 * \param groups  NFNLGRP_* values
 */
int netlink_open_netfilter_events(struct netlink *nl, const unsigned int *groups, size_t n_groups);

/*! Closes the socket. */
void netlink_close(struct netlink *nl);

/*! The descriptor, for a loop; -1 when closed. */
int netlink_fd(const struct netlink *nl);

/* Gets one message of an answer; the bytes are valid during the call only. */
typedef void (*netlink_reader)(const struct nlmsghdr *message, void *context);

/*!
 * Sends one request and reads its answer to the end.
 * \param request  from the writer's buffer; flags REQUEST and ACK and the number are set here
 * \param reader   gets each message of the answer, or NULL when only the verdict matters
 * \param context  for the reader
 * \return 0; -EINTR when a dump changed while it was read (ask again); the kernel's negative
 *         errno; -ETIMEDOUT when it does not answer, which it never should
 */
int netlink_query(struct netlink *nl, struct nlmsghdr *request, netlink_reader reader,
		  void *context);

/* What netlink_batch() needs to know about the list it sends. */
struct netlink_batch {
	/* Writes message `i` (type, flags, payload) into NETLINK_MESSAGE_MAX bytes. */
	struct nlmsghdr *(*write)(void *buffer, size_t i, void *context);
	/* Message `i` was refused with a negative errno. 0 goes on; a negative errno ends it. */
	int (*refused)(size_t i, int error, void *context);
	void *context;
};

/*!
 * Sends a list of requests, many for each system call, in order.
 * \param n  number of messages
 * \return 0, what `refused` returned, or a negative errno of the socket itself. After an error
 *         up to 63 messages behind the refused one have been carried out as well.
 */
int netlink_batch(struct netlink *nl, size_t n, const struct netlink_batch *batch);

/*!
 * Sends a transaction of nfnetlink, of which the kernel carries out all or nothing
 * (net/netfilter/nfnetlink.c): NFNL_MSG_BATCH_BEGIN, the messages, NFNL_MSG_BATCH_END.
 * \param messages  one behind the other, at least one between the marks; numbered here
 * \param len       bytes of all of them
 * \return 0; the first refusal as a negative errno; -EOPNOTSUPP: the kernel has no such part
 */
int netlink_transact(struct netlink *nl, void *messages, size_t len);

/*!
 * Sends one request without waiting; its answer arrives among the events.
 * \return 0 or a negative errno
 */
int netlink_send(struct netlink *nl, struct nlmsghdr *request);

/*!
 * Hands over what has arrived, until the socket is empty or enough has been done for one turn of
 * the loop (the descriptor then stays readable).
 * \param ret_lost  set when the kernel had to drop events because nobody read them in time; left
 *                  alone otherwise
 * \return 0 or a negative errno
 */
int netlink_drain(struct netlink *nl, netlink_reader reader, void *context, bool *ret_lost);

/*!
 * Sorts the attributes of a message into a table by type.
 * \param header_size  bytes of the family's header in front of the attributes
 * \param table        `n` entries, NULL where there is no such attribute
 * \return false when the message is shorter than its header
 */
must_check bool netlink_attrs(const struct nlmsghdr *message, size_t header_size,
			      const struct nlattr **table, size_t n);

/*! The same for the attributes inside of an attribute; an absent one (NULL) has none. */
void netlink_attrs_nested(const struct nlattr *attr, const struct nlattr **table, size_t n);

/*! The number in an attribute, or `otherwise` when it is absent or too short. */
uint32_t netlink_attr_u32(const struct nlattr *attr, uint32_t otherwise);

#endif
