/*
 * A link as it is seen from outside: everything that can be shown, copied at one moment.
 *
 * What shows it (the log, the control socket, the wg protocol) reads nothing else of a link, so
 * all of them tell the same. There is no secret in it.
 *
 * Loss is what the peer's counters tell: each data message carries a number that grows by one, so
 * a number that is missing is a message that was lost on the way to us, or still is under way, or
 * came later than the replay window allows. Those that are lost before a session's first message
 * are seen, too, as counters begin with 0; those after its last one are not.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <net/if.h>
#include <time.h>

#include "common/key.h"
#include "daemon/core/counters.h"
#include "daemon/core/report.h"

#define STATUS_OFFLOADS_MAX 8

struct link_status {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	unsigned int mtu;
	bool is_tap; /* carries Ethernet frames */
	uint16_t listen_port;
	uint32_t fwmark; /* 0: none */

	const char *state;      /* one word for programs: "up" */
	const char *state_text; /* for people: "handshake under way" */
	nsec_t state_age;       /* how long it has been so */
	struct timespec now;    /* wall clock, of the moment of all this */

	struct key public_key;
	struct key peer_key;
	union netaddr remote; /* AF_UNSPEC: not known yet */
	uint16_t persistent_keepalive;
	size_t n_allowed_ips;

	const char *cipher; /* of the session; NULL: there is none */
	bool had_session;
	nsec_t session_age;      /* since the last handshake was completed */
	struct timespec session; /* wall clock, the same */
	nsec_t handshake_time;   /* how long it took; 0: the peer began it */

	struct counters counters; /* of all loops */
	uint64_t n_received;      /* data messages of the peer, */
	uint64_t n_lost;          /* and those that did not come */

	struct trouble trouble; /* text[0] is NUL: none */
	nsec_t trouble_age;
	bool is_trouble_over; /* a session began after it */

	const char *offloads[STATUS_OFFLOADS_MAX]; /* in use */
	size_t n_offloads;
};

struct link;

/*!
 * Looks at a link. The counters of the data loops are those that these have told last, which they
 * do within 50 ms while they carry packets; link_ask_counters() makes them exact.
 * \param now  boot time
 */
void link_get_status(const struct link *link, nsec_t now, struct link_status *ret);

/*! A counter's name for programs: "tx_packets". It is part of documented formats. */
const char *status_counter_key(enum counter counter);

/*! The same in words: "packets sent". */
const char *status_counter_text(enum counter counter);

/*! Whether a counter counts packets or messages that went nowhere. */
bool status_is_drop(enum counter counter);

#endif
