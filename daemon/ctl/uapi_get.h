/*
 * The answer to "get=1": a link's configuration and state as WireGuard's text protocol shows
 * them. Pure: a view goes in, text comes out.
 */
#ifndef CTL_UAPI_GET_H
#define CTL_UAPI_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/key.h"
#include "common/netaddr.h"
#include "daemon/ctl/uapi_buf.h"

/*
 * What is shown. The pointers lead to what their owner keeps, until the answer is made; so no
 * key is copied. All zero is a link with neither key nor peer.
 */
struct uapi_view {
	const struct key *private_key; /* NULL or all zero: none */
	uint16_t listen_port;          /* that the socket has now; 0: no socket */
	uint32_t fwmark;               /* 0: none */

	const struct key *peer_key;      /* NULL or all zero: no peer, and the rest is not read */
	const struct key *preshared_key; /* NULL or all zero: none */
	union netaddr endpoint;          /* where packets go now; AF_UNSPEC: not known */
	struct timespec last_handshake;  /* wall clock; all zero: never */
	uint64_t rx_bytes;               /* of UDP payload, handshakes included */
	uint64_t tx_bytes;
	uint16_t persistent_keepalive; /* seconds, 0: off */
	const struct prefix *allowed_ips;
	size_t n_allowed_ips;
};

/*!
 * Adds the answer, with "errno=0" and the empty line that ends it. The order of the lines is
 * wireguard-go's; what is not set is left out, as there (https://www.wireguard.com/xplatform/).
 * \param view  what to show
 * \param buf   is added to
 * \return 0, or -ENOMEM; then the buffer holds only what it held before
 */
must_check int uapi_get(const struct uapi_view *view, struct uapi_buf *buf);

#endif
