/* A link's status as an example that several tests look at. */
#ifndef TESTS_UNIT_STATUS_EXAMPLE_H
#define TESTS_UNIT_STATUS_EXAMPLE_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/status.h"

static inline struct link_status status_example(void)
{
	struct link_status status = {
		.name = "site-a",
		.ifindex = 7,
		.mtu = 1420,
		.listen_port = 51820,
		.fwmark = 4000000000U,
		.state = "up",
		.state_text = "up",
		.state_age = 3 * NSEC_PER_SEC + 500 * NSEC_PER_MSEC,
		.now = { .tv_sec = 1700000000, .tv_nsec = 5 },
		.persistent_keepalive = 25,
		.n_allowed_ips = 2,
		.cipher = "aes256-gcm",
		.had_session = true,
		.session_age = 45 * NSEC_PER_SEC,
		.session = { .tv_sec = 1699999955 },
		.handshake_time = 1234567,
		.n_received = 990,
		.n_lost = 10,
		.offloads = { "tun-tcp", "udp-gro" },
		.n_offloads = 2,
	};

	status.remote.in4.sin_family = AF_INET;
	status.remote.in4.sin_port = htons(51821);
	inet_pton(AF_INET, "192.0.2.2", &status.remote.in4.sin_addr);
	memset(status.public_key.bytes, 1, KEY_LEN);
	memset(status.peer_key.bytes, 2, KEY_LEN);
	for (enum counter i = 0; i < N_COUNTERS; i++)
		status.counters.n[i] = 100 + i;
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++)
		status.counters.verdicts[i] = 200 + i;
	status.trouble.when = 1;
	status.trouble.advice = "Do \"this\".";
	snprintf(status.trouble.text, sizeof(status.trouble.text), "it broke");
	status.trouble_age = 90 * NSEC_PER_SEC;
	return status;
}

/* The example's keys in base64. */
#define EXAMPLE_PUBLIC_KEY "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define EXAMPLE_PEER_KEY   "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

#endif
