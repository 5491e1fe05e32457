/*
 * From the interface to the network: reads superpackets, seals their segments, sends the batch.
 *
 * How this works: one superpacket at a time is read into `slot` and split there; each segment is
 * sealed from the slot into `out`, which is the only copy. Sealed segments lie in `out` one
 * behind the other. As long as they are equally long they form a run (udp.h), also across
 * superpackets: a new one begins when a segment is longer, after a shorter one, when the mark for
 * congestion differs, and at 64 segments or 65,473 bytes.
 *
 * On a TAP interface the same happens with Ethernet frames, whatever is in them: AllowedIPs do not
 * concern them. A frame may be longer than the path carries: then its message is fragmented, which
 * is said once, but for TCP superpackets, which are split into shorter segments.
 *
 * A batch ends when the interface has no more, or when `out` may not take another superpacket.
 * Should it be full in the middle of one (tiny segments, few messages to a batch), then the rest
 * follows in batches of its own before anything else is read: nobody can say when the interface
 * will be readable again. Packets that waited for a session come first. While the socket is full,
 * the interface is not read: packets wait in the kernel's queue, where its queueing discipline
 * works; then even the rest of a superpacket waits in the slot.
 */
#ifndef CORE_TX_H
#define CORE_TX_H

#include <stdbool.h>

#include "daemon/core/worker.h"
#include "daemon/data/allowedips.h"
#include "daemon/data/storm.h"
#include "daemon/data/tun.h"
#include "daemon/data/vnet.h"
#include "daemon/proto/staged.h"

struct tx {
	struct worker *worker; /* the loop that this runs in: keys, wire, orders */
	const struct tun *tun;
	unsigned int reads_max; /* of one batch, 1 to CONF_TUN_BATCH_MAX */
	size_t messages_max;    /* of one system call, 1 to UDP_BATCH */
	struct staged staged;   /* packets that wait for a session */

	uint8_t *slot; /* one superpacket with room around it, owned */
	struct vnet_split split;
	bool is_splitting;  /* `split` may have segments left */
	uint8_t tos;        /* outer, for the packet in the slot */
	nsec_t next_icmp;   /* when a program may be told again that something is unreachable */
	struct storm storm; /* the limit on frames to everybody; TAP only */
	unsigned int said_whole_max; /* of the path of which was said that it fragments */

	uint8_t *out; /* sealed messages, owned */
	size_t out_used;
	struct udp_message messages[UDP_BATCH];
	size_t n_messages;       /* sealed, in `messages` */
	size_t n_sent;           /* of these, given to the socket */
	size_t run_room;         /* datagrams that the last message still takes */
	bool has_data;           /* the batch is not a keepalive */
	uint64_t sealed_serial;  /* the keypair that sealed the last of them, */
	uint64_t sealed_counter; /* and its send_counter since */
	bool owes_keepalive;     /* with another keypair, when the socket is free again */
};

enum tx_result {
	TX_DONE = 0,    /* all that was read is sent or staged; there may be more to read */
	TX_BLOCKED = 1, /* the socket is full; call again when it is writable */
};

/*! Allocates the memory; the pointers must have been set. \return 0 or -ENOMEM */
int tx_init(struct tx *tx);

/*! Frees the memory; safe twice. */
void tx_deinit(struct tx *tx);

/*!
 * Sends what is left of a batch that was blocked, what is staged, if there is a session, and one
 * batch of what the interface has. Takes bounded time, since local programs can write faster than
 * vpnd sends.
 * \return an enum tx_result; a negative errno when the interface cannot be read any more
 */
int tx_run(struct tx *tx, nsec_t now);

/*! Asks for a session, unless there is one: for what was staged while there was nobody to ask, or
 * may have lost its session since. */
void tx_want_session(struct tx *tx, nsec_t now);

/*! Sends one keepalive, unless packets are under way already or there is no session. */
void tx_keepalive(struct tx *tx, nsec_t now);

/*! Drops what is staged, and counts it. */
void tx_drop_staged(struct tx *tx);

#endif
