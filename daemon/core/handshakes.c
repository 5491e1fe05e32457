/* From rx to control; see handshakes.h. */
#include "daemon/core/handshakes.h"

#include <string.h>

#include "common/defs.h"

bool handshakes_put(struct handshakes *handshakes, enum msg_type type, const uint8_t *message,
		    size_t len, const struct udp_path *path, nsec_t when)
{
	struct handshake_message *place;
	bool has_room;

	mailbox_begin(&handshakes->box);
	has_room = handshakes->n < HANDSHAKES_MAX;
	if (has_room) {
		place = &handshakes
				 ->messages[(handshakes->first + handshakes->n++) % HANDSHAKES_MAX];
		place->when = when;
		place->path = *path;
		place->type = type;
		place->len = len;
		memcpy(place->bytes, message, len);
	}
	mailbox_send(&handshakes->box);
	return has_room;
}

size_t handshakes_take(struct handshakes *handshakes, struct handshake_message *ret, size_t room)
{
	size_t n;

	mailbox_take(&handshakes->box);
	for (n = 0; n < room && handshakes->n > 0; n++, handshakes->n--) {
		ret[n] = handshakes->messages[handshakes->first];
		handshakes->first = (handshakes->first + 1) % HANDSHAKES_MAX;
	}
	if (handshakes->n > 0)
		mailbox_send(&handshakes->box);
	else
		mailbox_taken(&handshakes->box);
	return n;
}
