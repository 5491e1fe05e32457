/*
 * Handshake messages on their way from rx to control, as they came and not looked at.
 *
 * The queue is bounded: under a flood what does not fit is dropped and counted before it costs
 * anything. Data is not held up by it.
 */
#ifndef CORE_HANDSHAKES_H
#define CORE_HANDSHAKES_H

#include "daemon/core/mailbox.h"
#include "daemon/data/udp.h"
#include "daemon/proto/messages.h"

/* Messages that wait at most. */
#define HANDSHAKES_MAX 512

struct handshake_message {
	nsec_t when; /* it came, boot time */
	struct udp_path path;
	enum msg_type type;
	size_t len;
	uint8_t bytes[sizeof(struct msg_initiation)]; /* the longest of the three */
};

struct handshakes {
	struct mailbox box; /* control reads */
	size_t first, n;    /* a ring */
	struct handshake_message messages[HANDSHAKES_MAX];
};

/*!
 * rx: adds a message.
 * \param len   right for its type, as msg_classify() has it
 * \param when  it came, boot time
 * \return false when the queue is full
 */
bool handshakes_put(struct handshakes *handshakes, enum msg_type type, const uint8_t *message,
		    size_t len, const struct udp_path *path, nsec_t when);

/*!
 * Control: takes the oldest messages.
 * \param ret  room for `room`
 * \return how many; the bell rings again when some are left
 */
size_t handshakes_take(struct handshakes *handshakes, struct handshake_message *ret, size_t room);

#endif
