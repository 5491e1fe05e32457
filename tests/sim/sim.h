/*
 * The simulation: two peers, a wire between them, and one clock that nobody waits for.
 *
 * Each end is a struct peer with the caller's side around it, doing what the daemon does: seal and
 * open with copies of the keypairs that follow the peer's, hand over what arrives, take packets
 * from an imagined interface, obey peer_actions() until it has nothing more, and wake at
 * peer_deadline(). The wire loses, delays, reorders and duplicates as it is told. Time jumps from
 * event to event, so ten minutes pass in a millisecond.
 *
 * While a run goes on, sim_check.c watches it: rules that must hold in every run, whatever the
 * wire does. A rule that breaks prints the seed and the time, and aborts. VPND_SIM_TRACE=1 in
 * the environment prints what happens.
 *
 * Every packet that an end sends carries its number, so it is known which arrived, in which
 * order and how often.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/proto/peer.h"
#include "daemon/proto/staged.h"

#define SIM_START        (1000 * NSEC_PER_SEC)
#define SIM_DATAGRAM_MAX 256
#define SIM_PACKETS_MAX  (1U << 17) /* that one end may send in a run */
#define SIM_NONCES_MAX   4096       /* keys that one run may seal with */
#define SIM_WALLCLOCK    1700000000 /* Unix seconds when the simulation starts */
#define SIM_MTU          1420
/* After the wire is healed, a packet passes both ways within this time: a session that died is
 * noticed after at most 15.4 s, and an initiation may have to wait another 5.4 s. */
#define SIM_RECOVERY (25 * NSEC_PER_SEC)

/* One direction of the wire. */
struct sim_link {
	unsigned int loss_permille;
	unsigned int duplicate_permille;
	nsec_t delay;
	nsec_t jitter; /* added at random, so it reorders */
};

struct sim_datagram {
	nsec_t due;
	uint64_t order; /* of equal `due` the first sent arrives first */
	unsigned int to;
	union netaddr source;
	size_t len;
	uint8_t bytes[SIM_DATAGRAM_MAX];
};

/* What the watch remembers of one keypair of an end. */
struct sim_seen_keypair {
	uint64_t serial;
	uint64_t send_counter;
	uint64_t n_end;
};

struct sim_end {
	struct peer peer;
	struct keypairs tx, rx; /* copies that seal and open */
	struct staged staging;
	uint32_t n_staged_lost;
	unsigned int id; /* 0 or 1 */
	struct key private_key;
	struct key public_key;
	struct key preshared;
	uint16_t persistent_keepalive;
	enum offer_carries carries;
	union netaddr address;
	int64_t wall_offset_sec; /* how wrong the wall clock is */

	nsec_t packet_interval; /* of steady traffic; 0: none */
	nsec_t next_packet;
	nsec_t serve_at; /* when peer_actions() is to be asked; NSEC_NEVER */
	uint32_t n_sent; /* packets from the interface; also the number of the next */

	/* packets of the other end that came out here */
	uint32_t n_delivered;
	uint32_t newest_delivered; /* number plus one */
	uint32_t n_out_of_order;
	uint8_t delivered[SIM_PACKETS_MAX / 8];

	/* statistics */
	uint32_t n_initiations; /* since the last restart or sim_forget_counts() */
	uint32_t n_responses;
	uint32_t n_data_sent; /* with keepalives */
	uint32_t n_keepalives_sent;
	uint32_t verdicts[PEER_N_VERDICTS];
	uint32_t n_session_up, n_gave_up, n_erased, n_retried;

	/* the watch */
	uint32_t staged[STAGED_MAX]; /* numbers of what must be staged, oldest first */
	size_t n_staged;
	nsec_t last_handshake_sent; /* initiation or response; 0: none since the start */
	struct tai64n last_stamp;
	struct sim_seen_keypair seen[N_KEYPAIRS];
};

struct sim_nonce {
	uint8_t key[AEAD_KEY_LEN];
	uint64_t next; /* the least counter that may be used */
};

struct sim {
	uint64_t seed;
	nsec_t now;
	struct sim_end ends[2];
	struct sim_link links[2]; /* by sender */
	bool is_manual;           /* nothing arrives by itself; see sim_deliver() */
	bool is_trace;
	nsec_t max_batch; /* peer_actions() is asked at most so much after an event */
	nsec_t max_late;  /* timers fire at most so late */

	struct sim_datagram *flying; /* unsorted, owned */
	size_t n_flying, flying_room;
	uint64_t n_transmitted; /* datagrams that the ends gave to the wire */
	uint32_t n_to_strangers;
	struct sim_nonce nonces[SIM_NONCES_MAX];
	size_t n_nonces;
};

/* What a run starts with; zero is two equal ends that share a key. */
struct sim_setup {
	bool is_psk_wrong;
	uint16_t persistent_keepalive[2]; /* seconds */
	enum offer_carries carries[2];
};

/*! Two ends with keys from `seed`, a clean wire, time SIM_START. Frees nothing of `sim`. */
void sim_begin(struct sim *sim, uint64_t seed, const struct sim_setup *setup);

/*! Frees the ends and the wire. */
void sim_finish(struct sim *sim);

/*! Lets time pass. */
void sim_advance(struct sim *sim, nsec_t duration);

/*! A packet from the interface of an end. */
void sim_send(struct sim *sim, unsigned int id);

/*! Steady traffic from both ends; 0 stops it. */
void sim_traffic(struct sim *sim, nsec_t interval_0, nsec_t interval_1);

/*! The process of an end ends and starts again: same keys, no memory. */
void sim_restart(struct sim *sim, unsigned int end);

/*! Loses nothing more, and everything takes `delay`. */
void sim_heal(struct sim *sim, nsec_t delay);

/*! Both directions lose everything. */
void sim_cut(struct sim *sim);

/*! A datagram by a stranger, from an address that is neither end's. */
void sim_inject(struct sim *sim, unsigned int to, const uint8_t *bytes, size_t len,
		const union netaddr *source);

/*! An initiation of noise, but with the right mac1 for `to`, from a random address. */
void sim_inject_noise(struct sim *sim, unsigned int to);

/*! Counts from here. */
void sim_forget_counts(struct sim *sim);

/*! Moves on the send counter of the current keypair, if there is one. */
void sim_preset_counter(struct sim *sim, unsigned int end, uint64_t counter);

/* By hand, for scripts: is_manual makes datagrams fly until one of these is called. */

/*! Delivers datagram `i` of those that fly. */
void sim_deliver(struct sim *sim, size_t i);

/*! Loses it. */
void sim_drop(struct sim *sim, size_t i);

/*! Adds a copy of it, and returns where. */
size_t sim_duplicate(struct sim *sim, size_t i);

/* sim_check.c: rules at the end of a run. */

/*! Heals the wire, gives both ends traffic: a new packet must pass both ways in SIM_RECOVERY. */
void sim_require_alive(struct sim *sim);

/*!
 * Without traffic: silence after 40 s (160 when a clock was set back, since an end that is refused
 * tries on until it gives up), no key in memory 560 s later, and nothing ever after. For ends
 * without persistent keepalive.
 */
void sim_require_silence(struct sim *sim);

/*! Neither end holds any session key or handshake secret. */
void sim_require_erased(struct sim *sim, unsigned int end);

#endif
