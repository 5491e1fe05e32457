/*
 * One datagram from anybody. The input is a control byte and the datagram; the harness repairs
 * what only keys could make right, so that mutation gets past the MACs and the tags:
 *
 *   REPAIR_MAC1   mac1 of an initiation or response
 *   REPAIR_MAC2   mac2, with the cookie of the source
 *   REPAIR_SEALS  the input is the plaintext; an initiation is made by the real initiator's keys
 *                 with the input's bytes as sender, timestamp and static key, a data message is
 *                 sealed with the session's key under the counter given
 *   REPAIR_INDEX  receiver indices that exist
 *   UNDER_LOAD    the end is asked for cookies
 *   IPV6          the source is an IPv6 address
 *   WAITING       our own initiation is under way
 *
 * What must hold: no answer is longer than the request, silence for all but two verdicts, and a
 * datagram that is not authentic changes nothing that the peer knows.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include <sodium.h>

#include "tests/sim/sim.h"
#include "tests/sim/sim_random.h"

#define NOW (SIM_START + 30 * NSEC_PER_SEC)

enum control {
	REPAIR_MAC1 = 1,
	REPAIR_MAC2 = 2,
	REPAIR_SEALS = 4,
	REPAIR_INDEX = 8,
	UNDER_LOAD = 16,
	IPV6 = 32,
	WAITING = 64,
};

static struct sim sim;
static struct peer *const target = &sim.ends[0].peer;
/* The target and its secrets in the state in which each datagram finds it. */
static struct peer peers[2];
static struct peer_secrets secrets[2];
static struct noise_identity stranger;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void save(size_t i)
{
	peers[i] = *target;
	secrets[i] = *target->secrets;
}

static void restore(size_t i)
{
	*target = peers[i];
	*target->secrets = secrets[i];
}

/* Two states: a session, and the same with our own initiation under way. */
static void prepare(void)
{
	static const struct sim_setup setup = { 0 };
	struct timespec wallclock = { .tv_sec = SIM_WALLCLOCK + 30 };
	struct msg_initiation initiation;

	sim_random_install();
	sim_begin(&sim, 1, &setup);
	sim_send(&sim, 1);
	sim_advance(&sim, NOW - SIM_START);
	save(0);
	require(peer_create_initiation(target, &wallclock, NOW, &initiation));
	save(1);

	stranger = sim.ends[1].peer.secrets->identity;
	prim_dh_generate(&stranger.own_private, stranger.own_public.bytes);
	require(noise_identity_init(&stranger));
}

/* The timestamp, the sender and maybe the key come from the input; all seals are right. */
static void make_initiation(uint8_t *datagram)
{
	struct msg_initiation *in = (struct msg_initiation *)(void *)datagram;
	const struct noise_identity *who = &sim.ends[1].peer.secrets->identity;
	struct noise_handshake handshake = { .is_waiting = false };
	uint32_t sender = le32_load(in->sender);
	struct tai64n stamp;

	memcpy(&stamp, in->encrypted_timestamp, sizeof(stamp));
	if (in->ephemeral[0] & 1)
		who = &stranger;
	require(noise_create_initiation(who, &stamp, sender, &handshake, in));
}

static void make_data(uint8_t *datagram, size_t len)
{
	const struct keypair *keypair = target->secrets->keypairs.current;
	struct msg_data *header = (struct msg_data *)(void *)datagram;

	header->receiver = le32_make(keypair->local_index);
	prim_aead_seal(datagram + DATA_HEADER_LEN, datagram + DATA_HEADER_LEN, len - DATA_OVERHEAD,
		       NULL, 0, le64_load(header->counter), keypair->receive_key.bytes);
}

static void repair_index(enum msg_type type, uint8_t *datagram)
{
	const struct noise_handshake *handshake = &target->secrets->handshake;
	uint32_t index = handshake->is_waiting ? handshake->local_index
					       : target->secrets->keypairs.current->local_index;
	le32_t wire = le32_make(index);

	if (type == MSG_RESPONSE)
		memcpy(datagram + offsetof(struct msg_response, receiver), &wire, sizeof(wire));
	else if (type == MSG_COOKIE || type == MSG_DATA)
		memcpy(datagram + offsetof(struct msg_cookie, receiver), &wire, sizeof(wire));
}

static void repair_macs(uint8_t *datagram, size_t len, uint8_t control, const union netaddr *source)
{
	struct cookie_checker *checker = &target->secrets->checker;
	struct cookie_maker maker;
	struct msg_cookie reply;
	le32_t receiver = le32_make(0);

	cookie_maker_init(&maker, &target->secrets->identity.own_public);
	if (control & (REPAIR_MAC1 | REPAIR_MAC2))
		cookie_add_macs(&maker, datagram, len, NOW);
	if (control & REPAIR_MAC2) {
		cookie_make_reply(checker, datagram, len, receiver, source, NOW, &reply);
		require(cookie_consume_reply(&maker, &reply, NOW));
		cookie_add_macs(&maker, datagram, len, NOW);
	}
}

static void repair(uint8_t *datagram, size_t len, uint8_t control, const union netaddr *source)
{
	enum msg_type type = msg_classify(datagram, len);

	if (control & REPAIR_INDEX)
		repair_index(type, datagram);
	if (control & REPAIR_SEALS && type == MSG_INITIATION)
		make_initiation(datagram);
	if (control & REPAIR_SEALS && type == MSG_DATA)
		make_data(datagram, len);
	if (type == MSG_INITIATION || type == MSG_RESPONSE)
		repair_macs(datagram, len, control, source);
}

/* All bytes, padding too: both were copied from one place. */
static bool is_same(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* Nothing but the gauge, the limit per address and the cookies' secret may have moved. */
static void require_unchanged(const struct peer *before, const struct peer_secrets *was)
{
	struct peer after = *target;
	static struct peer_secrets is;

	after.load = before->load;
	after.ratelimit = before->ratelimit;
	require(is_same(&after, before, sizeof(after)));
	is = *target->secrets;
	is.checker = was->checker;
	require(is_same(&is, was, sizeof(is)));
}

static bool is_authentic(enum peer_verdict verdict)
{
	return verdict <= PEER_KEEPALIVE || verdict == PEER_COOKIE_STORED;
}

static void judge(enum peer_verdict verdict, size_t len, const struct peer_reply *reply)
{
	size_t expected = verdict == PEER_RESPONDED     ? sizeof(struct msg_response)
			  : verdict == PEER_COOKIE_SENT ? sizeof(struct msg_cookie)
							: 0;

	require(verdict < PEER_N_VERDICTS && peer_verdict_name(verdict));
	require(reply->len == expected && reply->len <= len);
}

static enum peer_verdict hand_over(uint8_t *datagram, size_t len, const union netaddr *source,
				   struct peer_reply *reply)
{
	enum msg_type type = msg_classify(datagram, len);
	struct sealed_message message = { .bytes = datagram, .len = len };

	reply->len = 0;
	if (type == MSG_DATA) {
		keypairs_open(&target->secrets->keypairs, &message, 1, NOW);
		if (message.is_first)
			peer_confirmed(target, message.serial, NOW);
		if (message.result == KEYPAIR_OPENED)
			peer_received(target, message.plain_len > 0, NOW);
		return peer_data_verdict(message.result, message.plain_len);
	}
	return peer_receive_handshake(target, type, datagram, len, source, NOW, reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_prepared;
	static struct peer before;
	static struct peer_secrets was;
	union netaddr source = { .in4 = { .sin_family = AF_INET, .sin_port = htons(1234) } };
	struct peer_reply reply;
	enum peer_verdict verdict;
	uint8_t control, *datagram;
	size_t len;

	if (!is_prepared)
		prepare();
	is_prepared = true;
	if (size < 1 || size > 4096)
		return 0;
	control = data[0];
	len = size - 1;
	datagram = calloc(1, len > 0 ? len : 1); /* exactly the size: overruns show */
	require(datagram);
	memcpy(datagram, data + 1, len);
	if (control & IPV6)
		source.in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = 1 };

	sim_random_seed(1);
	restore(control & WAITING ? 1 : 0);
	if (control & UNDER_LOAD)
		target->load = (struct load_gauge) { NOW + NSEC_PER_SEC, NOW + NSEC_PER_SEC };
	if (msg_classify(datagram, len) != MSG_NONE) {
		repair(datagram, len, control, &source);
		before = *target;
		was = *target->secrets;
		verdict = hand_over(datagram, len, &source, &reply);
		judge(verdict, len, &reply);
		if (!is_authentic(verdict))
			require_unchanged(&before, &was);
		(void)peer_actions(target, NOW);
	}
	free(datagram);
	return 0;
}
