/*
 * The watch of the simulation: the rules that hold in every run. Each is checked from outside
 * the core, from what passes the interface of peer.h, with memory of its own.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim_internal.h"

static void print_time(const struct sim *sim)
{
	fprintf(stderr, "%10.6f ", (double)(sim->now - SIM_START) / (double)NSEC_PER_SEC);
}

void sim_fail(const struct sim *sim, const char *format, ...)
{
	va_list args;

	print_time(sim);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr,
		"\nseed 0x%" PRIx64 "; again: VPND_SIM_SEED=0x%" PRIx64 " VPND_SIM_RUNS=1\n",
		sim->seed, sim->seed);
	abort();
}

void sim_trace(const struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->is_trace)
		return;
	print_time(sim);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* No (key, counter) is used twice, by whichever end and across restarts. */
static void check_nonce(struct sim *sim, const struct keypair *keypair)
{
	struct sim_nonce *nonce;
	size_t i = sim->n_nonces;

	while (i-- > 0) {
		nonce = &sim->nonces[i];
		if (memcmp(nonce->key, keypair->send_key.bytes, AEAD_KEY_LEN) != 0)
			continue;
		sim_require(sim, keypair->send_counter >= nonce->next,
			    "counter %" PRIu64 " is used twice with one key",
			    keypair->send_counter);
		nonce->next = keypair->send_counter + 1;
		return;
	}
	sim_require(sim, sim->n_nonces < SIM_NONCES_MAX, "more keys than the simulation can hold");
	nonce = &sim->nonces[sim->n_nonces++];
	memcpy(nonce->key, keypair->send_key.bytes, AEAD_KEY_LEN);
	nonce->next = keypair->send_counter + 1;
}

void check_seal(struct sim *sim, const struct sim_end *end, const struct keypair *keypair)
{
	const struct keypair *receiving = &end->rx.pool[keypair - end->tx.pool];

	check_nonce(sim, keypair);
	sim_require(sim, keypair->send_counter < REJECT_AFTER_MESSAGES,
		    "end %u seals beyond the counter's limit", end->id);
	sim_require(sim, sim->now - keypair->birth < REJECT_AFTER_TIME,
		    "end %u seals with a key that is 180 s old", end->id);
	/* A responder's key is confirmed by the first packet that arrives sealed with it. */
	sim_require(sim, keypair->i_am_initiator || receiving->replay.n_end > 0,
		    "end %u sends with a key that the initiator has not confirmed", end->id);
}

void check_initiation(struct sim *sim, struct sim_end *end)
{
	sim_require(sim,
		    !end->last_handshake_sent ||
			    sim->now - end->last_handshake_sent >= REKEY_TIMEOUT,
		    "end %u sends an initiation %.3f s after its last handshake message", end->id,
		    (double)(sim->now - end->last_handshake_sent) / (double)NSEC_PER_SEC);
	sim_require(sim, tai64n_after(&end->peer.last_stamp_sent, &end->last_stamp),
		    "end %u uses a timestamp that is not later than its last", end->id);
	sim_require(sim,
		    offer_read(&end->peer.last_stamp_sent) ==
			    (end->carries == OFFER_FRAMES ? OFFER_TAP : 0),
		    "end %u offers what it does not have", end->id);
	sim_require(sim,
		    end->carries == OFFER_FRAMES ||
			    (be32_load(end->peer.last_stamp_sent.nanoseconds) & 0xffffff) == 0,
		    "end %u shows the low bits of its clock", end->id);
	end->last_stamp = end->peer.last_stamp_sent;
	end->last_handshake_sent = sim->now;
}

void check_reply(struct sim *sim, struct sim_end *end, enum peer_verdict verdict,
		 const struct peer_reply *reply, size_t request_len)
{
	bool is_refusal = (verdict == PEER_IS_TUN || verdict == PEER_IS_TAP) &&
			  request_len == sizeof(struct msg_initiation);
	bool is_response = verdict == PEER_RESPONDED || is_refusal;
	size_t expected = is_response                   ? sizeof(struct msg_response)
			  : verdict == PEER_COOKIE_SENT ? sizeof(struct msg_cookie)
							: 0;

	sim_require(sim, reply->len == expected, "end %u answers \"%s\" with %zu bytes", end->id,
		    peer_verdict_name(verdict), reply->len);
	sim_require(sim, reply->len <= request_len, "end %u answers with more than it was sent",
		    end->id);
	if (is_response)
		end->last_handshake_sent = sim->now;
}

void check_delivery(struct sim *sim, struct sim_end *end, const uint8_t *packet, size_t len)
{
	const struct sim_end *other = &sim->ends[!end->id];
	le32_t words[3];
	uint32_t number, packet_len;
	uint8_t *seen;

	sim_require(sim, len >= sizeof(words), "end %u: a packet is shorter than any sent",
		    end->id);
	memcpy(words, packet, sizeof(words));
	number = le32_load(words[1]);
	packet_len = le32_load(words[2]);
	sim_require(sim, le32_load(words[0]) == other->id && number < other->n_sent,
		    "end %u: a packet comes out that the other end did not send", end->id);
	sim_require(sim, packet_len <= len && len == keypair_padded_len(packet_len, SIM_MTU),
		    "end %u: packet %u changed its length", end->id, number);
	for (size_t i = sizeof(words); i < len; i++)
		sim_require(sim, packet[i] == (i < packet_len ? (uint8_t)(number + i) : 0),
			    "end %u: packet %u changed on its way", end->id, number);

	seen = &end->delivered[number / 8];
	sim_require(sim, !(*seen & (1U << number % 8)), "end %u: packet %u comes out twice",
		    end->id, number);
	*seen |= (uint8_t)(1U << number % 8);
	end->n_delivered++;
	if (number + 1 > end->newest_delivered)
		end->newest_delivered = number + 1;
	else
		end->n_out_of_order++;
}

void check_staged(struct sim_end *end, uint32_t number)
{
	if (end->n_staged == STAGED_MAX) {
		memmove(end->staged, end->staged + 1, sizeof(end->staged) - sizeof(end->staged[0]));
		end->n_staged--;
	}
	end->staged[end->n_staged++] = number;
}

void check_unstaged(struct sim *sim, struct sim_end *end, uint32_t number)
{
	sim_require(sim, end->n_staged > 0, "end %u: packet %u was not staged", end->id, number);
	sim_require(sim, end->staged[0] == number, "end %u: staged %u comes where %u was expected",
		    end->id, number, end->staged[0]);
	end->n_staged--;
	memmove(end->staged, end->staged + 1, end->n_staged * sizeof(end->staged[0]));
}

/* Counters and windows only go up while a keypair lives. */
static void check_keypair(struct sim *sim, struct sim_end *end, size_t i)
{
	const struct keypair *keypair = &end->peer.secrets->keypairs.pool[i];
	const struct keypair *tx = &end->tx.pool[i], *rx = &end->rx.pool[i];
	struct sim_seen_keypair *seen = &end->seen[i];

	sim_require(sim, tx->serial == keypair->serial && rx->serial == keypair->serial,
		    "end %u: a copy has other keypairs", end->id);
	if (keypair->serial && seen->serial == keypair->serial) {
		sim_require(sim, tx->send_counter >= seen->send_counter,
			    "end %u: a send counter goes back", end->id);
		sim_require(sim, rx->replay.n_end >= seen->n_end,
			    "end %u: a replay window goes back", end->id);
	}
	*seen = (struct sim_seen_keypair) { keypair->serial, tx->send_counter, rx->replay.n_end };
}

/* Not in constant time, unlike libsodium's: this is asked after every event. */
static bool is_wiped(const void *memory, size_t len)
{
	static const uint8_t zero[sizeof(struct keypairs)];

	return memcmp(memory, zero, len) == 0;
}

/* Every keypair in use is in one slot, and in one only; a free one holds nothing. */
static void check_slots(struct sim *sim, const struct sim_end *end)
{
	const struct keypairs *keypairs = &end->peer.secrets->keypairs;
	const struct keypair *slots[] = { keypairs->current, keypairs->previous, keypairs->next };

	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		const struct keypair *keypair = &keypairs->pool[i];
		unsigned int n_slots = 0;

		for (size_t slot = 0; slot < ARRAY_SIZE(slots); slot++)
			n_slots += slots[slot] == keypair;
		sim_require(sim, n_slots == (keypair->serial != 0), "end %u: keypair in %u slots",
			    end->id, n_slots);
		if (!keypair->serial)
			sim_require(sim, is_wiped(keypair, sizeof(*keypair)),
				    "end %u: a dropped keypair was not wiped", end->id);
	}
	sim_require(sim, !keypairs->next || !keypairs->next->i_am_initiator,
		    "end %u: the initiator waits for a confirmation", end->id);
}

/* Keypairs that name each other hold the same keys. */
static void check_agreement(struct sim *sim)
{
	const struct keypair *ours = sim->ends[0].peer.secrets->keypairs.pool;
	const struct keypair *theirs = sim->ends[1].peer.secrets->keypairs.pool;

	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		for (size_t j = 0; j < N_KEYPAIRS; j++) {
			if (!ours[i].serial || !theirs[j].serial ||
			    ours[i].local_index != theirs[j].remote_index ||
			    ours[i].remote_index != theirs[j].local_index)
				continue;
			sim_require(sim,
				    memcmp(ours[i].send_key.bytes, theirs[j].receive_key.bytes,
					   AEAD_KEY_LEN) == 0 &&
					    memcmp(ours[i].receive_key.bytes,
						   theirs[j].send_key.bytes, AEAD_KEY_LEN) == 0,
				    "both ends have a session with different keys");
			sim_require(sim, ours[i].i_am_initiator != theirs[j].i_am_initiator,
				    "both ends believe that they began one session");
		}
	}
}

void check_end(struct sim *sim, struct sim_end *end)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++)
		check_keypair(sim, end, i);
	check_slots(sim, end);
	check_agreement(sim);
	sim_require(sim, end->staging.n == end->n_staged, "end %u: %zu packets staged, not %zu",
		    end->id, end->staging.n, end->n_staged);
}

void check_restart(struct sim_end *end)
{
	end->n_staged = 0;
	end->last_handshake_sent = 0;
	memset(&end->last_stamp, 0, sizeof(end->last_stamp));
	memset(end->seen, 0, sizeof(end->seen));
}

void sim_require_alive(struct sim *sim)
{
	uint32_t from[2] = { sim->ends[0].n_sent, sim->ends[1].n_sent };
	nsec_t limit = sim->now + SIM_RECOVERY;
	bool is_alive = false;

	sim_trace(sim, "the wire is healed");
	sim_heal(sim, 20 * NSEC_PER_MSEC);
	sim_traffic(sim, NSEC_PER_SEC, NSEC_PER_SEC);
	while (!is_alive && sim->now < limit) {
		sim_advance(sim, NSEC_PER_SEC / 4);
		is_alive = sim->ends[1].newest_delivered > from[0] &&
			   sim->ends[0].newest_delivered > from[1];
	}
	sim_require(sim, is_alive, "the link is stuck (0 to 1: %s; 1 to 0: %s)",
		    sim->ends[1].newest_delivered > from[0] ? "passes" : "dead",
		    sim->ends[0].newest_delivered > from[1] ? "passes" : "dead");
	sim_traffic(sim, 0, 0);
}

void sim_require_erased(struct sim *sim, unsigned int end)
{
	const struct peer_secrets *secrets = sim->ends[end].peer.secrets;
	const struct keypairs *const copies[] = { &secrets->keypairs, &sim->ends[end].tx,
						  &sim->ends[end].rx };

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
		sim_require(sim, is_wiped(copies[i]->pool, sizeof(copies[i]->pool)),
			    "end %u: session keys are still in memory", end);
	sim_require(sim, is_wiped(&secrets->handshake, sizeof(secrets->handshake)),
		    "end %u: handshake secrets are still in memory", end);
}

void sim_require_silence(struct sim *sim)
{
	/* An end that restarted with an old clock is refused until it gives up. */
	bool is_clock_old = sim->ends[0].verdicts[PEER_OLD_TIMESTAMP] +
				    sim->ends[1].verdicts[PEER_OLD_TIMESTAMP] >
			    0;
	uint64_t n_transmitted;

	sim_traffic(sim, 0, 0);
	sim_advance(sim, (is_clock_old ? 160 : 40) * NSEC_PER_SEC);
	n_transmitted = sim->n_transmitted;
	sim_advance(sim, 560 * NSEC_PER_SEC);
	for (unsigned int i = 0; i < 2; i++)
		sim_require_erased(sim, i);
	sim_advance(sim, 3600 * NSEC_PER_SEC);
	sim_require(sim, sim->n_transmitted == n_transmitted,
		    "two idle ends sent %" PRIu64 " messages", sim->n_transmitted - n_transmitted);
	for (unsigned int i = 0; i < 2; i++)
		sim_require(sim, peer_deadline(&sim->ends[i].peer) == NSEC_NEVER,
			    "end %u has a timer for nothing", i);
}
