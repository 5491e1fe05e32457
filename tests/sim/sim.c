/* Two ends, the wire and the clock; see sim.h. The rules are in sim_check.c. */
#include "tests/sim/sim.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#include <sodium.h>

#include "tests/sim/sim_internal.h"
#include "tests/sim/sim_random.h"

/* ---- the wire ---- */

static struct sim_datagram *put_on_wire(struct sim *sim)
{
	if (sim->n_flying == sim->flying_room) {
		sim->flying_room = sim->flying_room ? 2 * sim->flying_room : 64;
		sim->flying = realloc(sim->flying, sim->flying_room * sizeof(*sim->flying));
		if (!sim->flying)
			abort();
	}
	return &sim->flying[sim->n_flying++];
}

static void fly(struct sim *sim, unsigned int to, const uint8_t *bytes, size_t len,
		const union netaddr *source, nsec_t due)
{
	static uint64_t n_flown;
	struct sim_datagram *datagram = put_on_wire(sim);

	sim_require(sim, len <= SIM_DATAGRAM_MAX, "a datagram of %zu bytes", len);
	*datagram = (struct sim_datagram) {
		.due = due,
		.order = n_flown,
		.to = to,
		.source = *source,
		.len = len,
	};
	n_flown++;
	memcpy(datagram->bytes, bytes, len);
}

static void transmit(struct sim *sim, const struct sim_end *end, const uint8_t *bytes, size_t len)
{
	const struct sim_link *link = &sim->links[end->id];
	unsigned int n_copies = 1;

	sim->n_transmitted++;
	if (sim_random_below(1000) < link->loss_permille)
		n_copies = 0;
	else if (sim_random_below(1000) < link->duplicate_permille)
		n_copies = 2;
	while (n_copies-- > 0)
		fly(sim, !end->id, bytes, len, &end->address,
		    sim->is_manual ? NSEC_NEVER
				   : sim->now + link->delay + sim_random_below(link->jitter));
}

/* ---- the caller's side of an end ---- */

/* What the threads of a daemon are told by message. */
static void hand_over_keys(struct sim_end *end)
{
	struct keypairs *const copies[] = { &end->tx, &end->rx };
	struct keypairs told;

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		keypairs_copy(&told, &end->peer.secrets->keypairs);
		keypairs_follow(copies[i], &told);
	}
}

/* The keypair to seal with, or NULL after a session was asked for. */
static struct keypair *sending_keypair(struct sim *sim, struct sim_end *end)
{
	struct keypair *current = end->tx.current;

	if (keypair_can_send(current, sim->now))
		return current;
	peer_want_session(&end->peer, current ? current->serial : 0, sim->now);
	return NULL;
}

static void serve_soon(struct sim *sim, struct sim_end *end)
{
	end->serve_at = MIN(end->serve_at, sim->now + sim_random_below(sim->max_batch));
}

static void seal(struct sim *sim, struct sim_end *end, struct keypair *keypair,
		 const uint8_t *packet, size_t len)
{
	uint8_t message[SIM_DATAGRAM_MAX] = { 0 };
	size_t padded = keypair_padded_len(len, SIM_MTU);

	check_seal(sim, end, keypair);
	if (len > 0)
		memcpy(message + DATA_HEADER_LEN, packet, len);
	transmit(sim, end, message,
		 keypair_seal(keypair, message, message + DATA_HEADER_LEN, padded));
	end->n_data_sent++;
	end->n_keepalives_sent += len == 0;
}

static uint32_t number_of(const uint8_t *packet)
{
	le32_t number;

	memcpy(&number, packet + sizeof(number), sizeof(number));
	return le32_load(number);
}

/* Sends what is staged; without anything staged, a keepalive if one is wanted. */
static void flush(struct sim *sim, struct sim_end *end, bool wants_keepalive)
{
	struct keypair *keypair = sending_keypair(sim, end);
	const uint8_t *packet;
	bool has_data = false;
	size_t len;

	if (!keypair)
		return;
	while (keypair_can_send(keypair, sim->now) && (packet = staged_pop(&end->staging, &len))) {
		check_unstaged(sim, end, number_of(packet));
		seal(sim, end, keypair, packet, len);
		has_data = true;
	}
	if (end->staging.n == 0)
		staged_clear(&end->staging);
	if (!has_data && wants_keepalive)
		seal(sim, end, keypair, NULL, 0);
	if (has_data || wants_keepalive) {
		sim_trace(sim, "%u: sends %s", end->id, has_data ? "staged packets" : "keepalive");
		peer_sent(&end->peer, has_data, keypair->send_counter, sim->now);
	}
}

static void initiate(struct sim *sim, struct sim_end *end)
{
	nsec_t since = sim->now - SIM_START;
	struct timespec wallclock = {
		.tv_sec = (time_t)(SIM_WALLCLOCK + end->wall_offset_sec +
				   (int64_t)(since / NSEC_PER_SEC)),
		.tv_nsec = (long)(since % NSEC_PER_SEC),
	};
	struct msg_initiation initiation;

	if (!peer_create_initiation(&end->peer, &wallclock, sim->now, &initiation))
		return;
	sim_trace(sim, "%u: sends initiation", end->id);
	check_initiation(sim, end);
	end->n_initiations++;
	transmit(sim, end, (const uint8_t *)&initiation, sizeof(initiation));
}

static void note_actions(struct sim *sim, struct sim_end *end, unsigned int actions)
{
	end->n_session_up += (actions & PEER_SESSION_UP) != 0;
	end->n_gave_up += (actions & PEER_GAVE_UP) != 0;
	end->n_erased += (actions & PEER_KEYS_ERASED) != 0;
	end->n_retried += (actions & PEER_RETRIED) != 0;
	sim_trace(sim, "%u: actions %#x", end->id, actions);
	if (actions & PEER_GAVE_UP) {
		end->n_staged_lost += (uint32_t)staged_clear(&end->staging);
		end->n_staged = 0;
	}
}

static void serve(struct sim *sim, struct sim_end *end)
{
	unsigned int actions, n_rounds = 0;

	end->serve_at = NSEC_NEVER;
	while ((actions = peer_actions(&end->peer, sim->now))) {
		sim_require(sim, ++n_rounds < 8, "end %u: actions without end", end->id);
		note_actions(sim, end, actions);
		hand_over_keys(end);
		if (actions & PEER_INITIATE)
			initiate(sim, end);
		if (actions & (PEER_FLUSH | PEER_SEND_KEEPALIVE))
			flush(sim, end, actions & PEER_SEND_KEEPALIVE);
	}
	sim_require(sim, peer_deadline(&end->peer) > sim->now, "end %u: a timer that spins",
		    end->id);
	check_end(sim, end);
}

void sim_send(struct sim *sim, unsigned int id)
{
	struct sim_end *end = &sim->ends[id];
	struct keypair *keypair = sending_keypair(sim, end);
	uint32_t number = end->n_sent++;
	le32_t words[3] = { le32_make(id), le32_make(number), le32_make(12 + number % 90) };
	uint8_t packet[12 + 90];
	size_t len = le32_load(words[2]);

	sim_require(sim, end->n_sent <= SIM_PACKETS_MAX, "more packets than can be counted");
	memcpy(packet, words, sizeof(words));
	for (size_t i = sizeof(words); i < len; i++)
		packet[i] = (uint8_t)(number + i);

	if (keypair && end->staging.n > 0)
		flush(sim, end, false);
	if (keypair && keypair_can_send(keypair, sim->now)) {
		seal(sim, end, keypair, packet, len);
		peer_sent(&end->peer, true, keypair->send_counter, sim->now);
	} else {
		end->n_staged_lost += !staged_push(&end->staging, packet, len);
		check_staged(end, number);
	}
	serve_soon(sim, end);
}

static void answer(struct sim *sim, struct sim_end *end, const struct sim_datagram *datagram,
		   const struct peer_reply *reply)
{
	if (netaddr_equal(&datagram->source, &sim->ends[!end->id].address))
		transmit(sim, end, reply->message, reply->len);
	else
		sim->n_to_strangers++;
}

static enum peer_verdict receive_data(struct sim *sim, struct sim_end *end,
				      struct sim_datagram *datagram)
{
	struct sealed_message message = { .bytes = datagram->bytes, .len = datagram->len };
	enum peer_verdict verdict;

	keypairs_open(&end->rx, &message, 1, sim->now);
	verdict = peer_data_verdict(message.result, message.plain_len);
	if (verdict == PEER_DATA)
		check_delivery(sim, end, datagram->bytes + DATA_HEADER_LEN, message.plain_len);
	if (message.is_first)
		peer_confirmed(&end->peer, message.serial, sim->now);
	if (message.result == KEYPAIR_OPENED)
		peer_received(&end->peer, message.plain_len > 0, sim->now);
	return verdict;
}

static void receive(struct sim *sim, struct sim_datagram *datagram)
{
	struct sim_end *end = &sim->ends[datagram->to];
	enum msg_type type = msg_classify(datagram->bytes, datagram->len);
	struct peer_reply reply = { .len = 0 };
	enum peer_verdict verdict;

	if (type == MSG_NONE)
		return;
	if (type == MSG_DATA) {
		verdict = receive_data(sim, end, datagram);
	} else {
		verdict = peer_receive_handshake(&end->peer, type, datagram->bytes, datagram->len,
						 &datagram->source, sim->now, &reply);
		check_reply(sim, end, verdict, &reply, datagram->len);
	}
	hand_over_keys(end);
	end->verdicts[verdict]++;
	sim_trace(sim, "%u: receives %s", end->id, peer_verdict_name(verdict));
	if (reply.len > 0) {
		end->n_responses += verdict == PEER_RESPONDED;
		answer(sim, end, datagram, &reply);
	}
	check_end(sim, end);
	serve_soon(sim, end);
}

/* ---- the clock ---- */

/* The datagram that arrives next, or NULL. */
static const struct sim_datagram *next_arrival(const struct sim *sim)
{
	const struct sim_datagram *next = NULL;

	for (size_t i = 0; i < sim->n_flying; i++) {
		const struct sim_datagram *datagram = &sim->flying[i];

		if (datagram->due == NSEC_NEVER)
			continue;
		if (!next || datagram->due < next->due ||
		    (datagram->due == next->due && datagram->order < next->order))
			next = datagram;
	}
	return next;
}

static nsec_t next_wake(const struct sim *sim, const struct sim_end *end)
{
	/* Late by a share that depends on the deadline alone, so that it can be asked again. */
	nsec_t deadline = peer_deadline(&end->peer);
	nsec_t late = sim->max_late ? deadline / 1000 % sim->max_late : 0;

	return MIN(end->serve_at, nsec_add(deadline, late));
}

/* Does what comes next, if it comes before `until`. */
static bool step(struct sim *sim, nsec_t until)
{
	const struct sim_datagram *arrival = next_arrival(sim);
	struct sim_end *waking = NULL, *sending = NULL;
	nsec_t when = arrival ? arrival->due : NSEC_NEVER;

	for (size_t i = 0; i < 2; i++) {
		struct sim_end *end = &sim->ends[i];

		if (next_wake(sim, end) <= when) {
			when = next_wake(sim, end);
			waking = end;
			sending = NULL;
		}
		if (end->packet_interval && end->next_packet < when) {
			when = end->next_packet;
			sending = end;
		}
	}
	if (when > until)
		return false;
	sim->now = MAX(sim->now, when);
	if (sending) {
		sending->next_packet = sim->now + sending->packet_interval;
		sim_send(sim, sending->id);
	} else if (waking) {
		serve(sim, waking);
	} else {
		sim_deliver(sim, (size_t)(arrival - sim->flying));
	}
	return true;
}

void sim_advance(struct sim *sim, nsec_t duration)
{
	nsec_t until = sim->now + duration;

	while (step(sim, until))
		;
	sim->now = until;
}

/* ---- what a scenario does ---- */

static void start(struct sim *sim, struct sim_end *end)
{
	struct peer_config config = {
		.own_private = &end->private_key,
		.peer_public = &sim->ends[!end->id].public_key,
		.preshared = &end->preshared,
		.persistent_keepalive = end->persistent_keepalive,
		.carries = end->carries,
	};

	sim_require(sim, peer_init(&end->peer, &config, sim->now) == 0, "no peer");
	sim_require(sim, staged_init(&end->staging) == 0, "no memory");
	memset(&end->tx, 0, sizeof(end->tx));
	memset(&end->rx, 0, sizeof(end->rx));
	end->serve_at = sim->now;
}

void sim_begin(struct sim *sim, uint64_t seed, const struct sim_setup *setup)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2" };

	memset(sim, 0, sizeof(*sim));
	sim_random_seed(seed);
	sim->seed = seed;
	sim->now = SIM_START;
	sim->is_trace = sim_random_env("VPND_SIM_TRACE", 0) != 0;
	sim_heal(sim, 20 * NSEC_PER_MSEC);
	for (unsigned int i = 0; i < 2; i++) {
		struct sim_end *end = &sim->ends[i];

		end->id = i;
		prim_dh_generate(&end->private_key, end->public_key.bytes);
		memset(&end->preshared, setup->is_psk_wrong ? (int)i : 7, KEY_LEN);
		end->persistent_keepalive = setup->persistent_keepalive[i];
		end->carries = setup->carries[i];
		end->address.in4.sin_family = AF_INET;
		end->address.in4.sin_port = htons(51820);
		inet_pton(AF_INET, addresses[i], &end->address.in4.sin_addr);
	}
	start(sim, &sim->ends[0]);
	start(sim, &sim->ends[1]);
}

void sim_finish(struct sim *sim)
{
	for (size_t i = 0; i < 2; i++) {
		peer_deinit(&sim->ends[i].peer);
		staged_deinit(&sim->ends[i].staging);
	}
	free(sim->flying);
	sim->flying = NULL;
}

void sim_restart(struct sim *sim, unsigned int end)
{
	sim_trace(sim, "%u: restarts", end);
	peer_deinit(&sim->ends[end].peer);
	staged_deinit(&sim->ends[end].staging);
	check_restart(&sim->ends[end]);
	start(sim, &sim->ends[end]);
}

void sim_traffic(struct sim *sim, nsec_t interval_0, nsec_t interval_1)
{
	nsec_t intervals[] = { interval_0, interval_1 };

	for (size_t i = 0; i < 2; i++) {
		sim->ends[i].packet_interval = intervals[i];
		sim->ends[i].next_packet = sim->now;
	}
}

void sim_heal(struct sim *sim, nsec_t delay)
{
	sim->links[0] = sim->links[1] = (struct sim_link) { .delay = delay };
}

void sim_cut(struct sim *sim)
{
	sim->links[0] = sim->links[1] = (struct sim_link) { .loss_permille = 1000 };
}

void sim_inject(struct sim *sim, unsigned int to, const uint8_t *bytes, size_t len,
		const union netaddr *source)
{
	fly(sim, to, bytes, len, source, sim->now);
}

void sim_inject_noise(struct sim *sim, unsigned int to)
{
	struct msg_initiation noise;
	struct cookie_maker maker;
	union netaddr source = { .in4 = { .sin_family = AF_INET, .sin_port = htons(9) } };

	source.in4.sin_addr.s_addr = (uint32_t)sim_random_next();
	randombytes_buf(&noise, sizeof(noise));
	noise.type = le32_make(MSG_INITIATION);
	cookie_maker_init(&maker, &sim->ends[to].public_key);
	cookie_add_macs(&maker, (uint8_t *)&noise, sizeof(noise), sim->now);
	sim_inject(sim, to, (const uint8_t *)&noise, sizeof(noise), &source);
}

void sim_forget_counts(struct sim *sim)
{
	for (size_t i = 0; i < 2; i++) {
		struct sim_end *end = &sim->ends[i];

		end->n_initiations = end->n_responses = 0;
		end->n_data_sent = end->n_keepalives_sent = 0;
		end->n_session_up = end->n_gave_up = end->n_erased = end->n_retried = 0;
		memset(end->verdicts, 0, sizeof(end->verdicts));
	}
}

void sim_preset_counter(struct sim *sim, unsigned int end, uint64_t counter)
{
	struct keypair *current = sim->ends[end].tx.current;

	if (current)
		current->send_counter = MAX(current->send_counter, counter);
}

void sim_drop(struct sim *sim, size_t i)
{
	sim->flying[i] = sim->flying[--sim->n_flying];
}

void sim_deliver(struct sim *sim, size_t i)
{
	struct sim_datagram datagram = sim->flying[i];

	sim_drop(sim, i);
	receive(sim, &datagram);
}

size_t sim_duplicate(struct sim *sim, size_t i)
{
	struct sim_datagram copy = sim->flying[i];

	*put_on_wire(sim) = copy;
	return sim->n_flying - 1;
}
