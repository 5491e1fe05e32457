/* The names of what is shown; see status.h. What is shown is put together in link_status.c. */
#include "daemon/core/status.h"

#include <assert.h>

#include "common/defs.h"

static const struct name {
	const char *key;
	const char *text;
	bool is_drop;
} names[] = {
	[COUNT_TX_PACKETS] = { "tx_packets", "packets sent", false },
	[COUNT_TX_BYTES] = { "tx_bytes", "bytes sent", false },
	[COUNT_RX_PACKETS] = { "rx_packets", "packets received", false },
	[COUNT_RX_BYTES] = { "rx_bytes", "bytes received", false },
	[COUNT_RX_EXPECTED] = { "rx_expected", "messages sent by the peer, by its counters",
				false },
	[COUNT_RX_INVALID] = { "rx_invalid", "no message", true },
	[COUNT_RX_FLOOD] = { "rx_flood", "handshake messages dropped in a flood", true },
	[COUNT_RX_NOT_IP] = { "rx_not_ip", "received, no packet or frame", true },
	[COUNT_RX_NOT_ALLOWED] = { "rx_not_allowed", "received, not in AllowedIPs", true },
	[COUNT_RX_WRITE_FAILED] = { "rx_write_failed", "received, interface full or down", true },
	[COUNT_TX_NOT_IP] = { "tx_not_ip", "to send, no packet or frame", true },
	[COUNT_TX_NOT_ALLOWED] = { "tx_not_allowed", "to send, not in AllowedIPs", true },
	[COUNT_TX_NO_ENDPOINT] = { "tx_no_endpoint", "to send, no endpoint", true },
	[COUNT_TX_NO_SESSION] = { "tx_no_session", "packets dropped while there was no session",
				  true },
	[COUNT_TX_STORM] = { "tx_storm", "frames to everybody dropped in a storm", true },
	[COUNT_TX_TOO_BIG] = { "tx_too_big", "to send, too big for the path", true },
	[COUNT_TX_SEND_FAILED] = { "tx_send_failed", "to send, refused by the socket", true },
	[COUNT_TX_BLOCKED] = { "tx_blocked", "waits for the socket", false },
};
static_assert(ARRAY_SIZE(names) == N_COUNTERS, "a name for each counter");

const char *status_counter_key(enum counter counter)
{
	return names[counter].key;
}

const char *status_counter_text(enum counter counter)
{
	return names[counter].text;
}

bool status_is_drop(enum counter counter)
{
	return names[counter].is_drop;
}
