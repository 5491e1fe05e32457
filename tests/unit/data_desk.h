/*
 * A data loop on a desk, without a thread: its keys come by orders as in life, its packets and
 * datagrams from the test. Interface and socket are played by functions that the test wraps.
 */
#ifndef TESTS_UNIT_DATA_DESK_H
#define TESTS_UNIT_DATA_DESK_H

#include "tests/unit/datagrams.h"
#include "tests/unit/loop_desk.h"

#include "daemon/core/worker.h"
#include "daemon/data/allowedips.h"
#include "daemon/data/tun.h"

#define PACKET_LEN 64
#define MTU        1420
#define PORT       51820

bool __wrap_allowedips_contain(const struct allowedips *allowed, int family,
			       const uint8_t *address);

struct data_desk {
	struct ev_loop *control;
	struct latest latest;
	struct wire wire;
	struct worker worker;
	struct keypairs told; /* control's */
	struct keypairs far;  /* the peer's: the same keys and indices */
	struct facts facts;
	bool forbids; /* what AllowedIPs say */
};

static struct data_desk desk;

bool __wrap_allowedips_contain(const struct allowedips *allowed, int family, const uint8_t *address)
{
	(void)allowed;
	(void)family;
	(void)address;
	return !desk.forbids;
}

static inline void desk_on_facts(void *context)
{
	(void)context;
}

/* Tells state and keypairs, as control does. */
static inline void desk_tell(unsigned int todo)
{
	const struct order_state state = {
		.mtu = MTU,
		.may_wait = true,
		.udp = desk.wire.udp,
	};

	orders_give(&desk.worker.orders, &state, &desk.told, todo);
	keypairs_wipe_send_keys(&desk.told);
	keypairs_wipe_receive_keys(&desk.told);
}

/* A new session, which control knows of and the loop does not yet. */
static inline void desk_rekey(bool i_am_initiator, uint8_t n)
{
	install(&desk.told, i_am_initiator, n);
	install(&desk.far, i_am_initiator, n);
}

static inline void desk_init(bool seals, const char *peer)
{
	memset(&desk, 0, sizeof(desk));
	desk.control = new_loop();
	latest_init(&desk.latest);
	desk.wire.latest = &desk.latest;
	if (peer) {
		struct udp_path path = path_to(peer, PORT);

		wire_set_path(&desk.wire, &path);
	}
	assert_int_equal(
		worker_init(&desk.worker,
			    &(struct data_loop_env) { .control = desk.control, .wire = &desk.wire },
			    "desk", seals, NULL, desk_on_facts),
		0);
}

static inline void desk_deinit(void)
{
	worker_deinit(&desk.worker);
	latest_deinit(&desk.latest);
	ev_loop_destroy(desk.control);
}

/* What the loop has told at the end of its turn. */
static inline const struct facts *desk_facts(void)
{
	worker_end_turn(&desk.worker);
	tray_take(&desk.worker.tray, &desk.facts);
	return &desk.facts;
}

static inline uint64_t desk_count(enum counter counter)
{
	return worker_counters(&desk.worker)->n[counter];
}

/* An inner packet from 10.0.0.1 to 10.0.0.2 of PACKET_LEN bytes, with a number in it: all are UDP
 * of one flow, not to be fragmented, without checksums. */
static inline void make_packet(uint8_t *packet, uint32_t number)
{
	static const uint8_t head[28] = {
		0x45, 0, 0, PACKET_LEN, 0, 0, 0x40, 0, 64, IPPROTO_UDP,     0, 0, 10, 0, 0, 1,
		10,   0, 0, 2,          0, 0, 0,    0, 0,  PACKET_LEN - 20, 0, 0
	};

	memset(packet, 0, PACKET_LEN);
	memcpy(packet, head, sizeof(head));
	memcpy(packet + PACKET_LEN - sizeof(number), &number, sizeof(number));
}

static inline uint32_t number_of(const uint8_t *packet)
{
	uint32_t number;

	memcpy(&number, packet + PACKET_LEN - sizeof(number), sizeof(number));
	return number;
}

#endif
