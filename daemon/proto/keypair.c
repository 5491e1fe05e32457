/* Keypairs and their slots; see keypair.h. */
#include "daemon/proto/keypair.h"

#include <sodium.h>

static void drop(struct keypair **slot)
{
	if (*slot)
		sodium_memzero(*slot, sizeof(**slot));
	*slot = NULL;
}

/* One place is always free: both ways of installing drop a keypair first. */
static struct keypair *free_place(struct keypairs *keypairs)
{
	size_t i = 0;

	while (i < N_KEYPAIRS - 1 && keypairs->pool[i].serial)
		i++;
	return &keypairs->pool[i];
}

/* As initiator: what we hold moves to previous, current is free for the new keys. */
static void make_room_for_current(struct keypairs *keypairs)
{
	drop(&keypairs->previous);
	if (keypairs->next) {
		keypairs->previous = keypairs->next;
		keypairs->next = NULL;
		drop(&keypairs->current);
	} else {
		keypairs->previous = keypairs->current;
		keypairs->current = NULL;
	}
}

struct keypair *keypairs_install(struct keypairs *keypairs, const struct noise_session_keys *keys,
				 bool i_am_initiator, uint32_t local_index, uint32_t remote_index,
				 nsec_t now)
{
	struct keypair **slot = i_am_initiator ? &keypairs->current : &keypairs->next;

	if (i_am_initiator) {
		make_room_for_current(keypairs);
	} else {
		drop(&keypairs->next);
		drop(&keypairs->previous);
	}
	*slot = free_place(keypairs);
	**slot = (struct keypair) {
		.cipher = cipher_get(keys->suite),
		.local_index = local_index,
		.remote_index = remote_index,
		.birth = now,
		.i_am_initiator = i_am_initiator,
		.serial = ++keypairs->n_made,
	};
	(*slot)->cipher->init(&(*slot)->send_key, keys->send);
	(*slot)->cipher->init(&(*slot)->receive_key, keys->receive);
	return *slot;
}

static void swap_current_and_previous(struct keypairs *keypairs)
{
	struct keypair *current = keypairs->current;

	keypairs->current = keypairs->previous;
	keypairs->previous = current;
	keypairs->current->is_preferred = false;
}

void keypairs_yield(struct keypairs *keypairs)
{
	keypairs->previous->is_preferred = true;
}

bool keypairs_confirm(struct keypairs *keypairs, const struct keypair *keypair)
{
	if (keypair == keypairs->previous && keypair->is_preferred)
		swap_current_and_previous(keypairs);
	if (keypair != keypairs->next)
		return false;
	drop(&keypairs->previous);
	keypairs->previous = keypairs->current;
	keypairs->current = keypairs->next;
	keypairs->next = NULL;
	return true;
}

struct keypair *keypairs_find(struct keypairs *keypairs, uint32_t local_index)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		if (keypairs->pool[i].serial && keypairs->pool[i].local_index == local_index)
			return &keypairs->pool[i];
	}
	return NULL;
}

void keypairs_wipe(struct keypairs *keypairs)
{
	uint64_t n_made = keypairs->n_made;

	sodium_memzero(keypairs, sizeof(*keypairs));
	keypairs->n_made = n_made;
}

/* The place in `to` that corresponds to a place in `from`. */
static struct keypair *same_place(struct keypairs *to, const struct keypairs *from,
				  const struct keypair *place)
{
	return place ? &to->pool[place - from->pool] : NULL;
}

void keypairs_copy(struct keypairs *to, const struct keypairs *from)
{
	*to = *from;
	to->current = same_place(to, from, from->current);
	to->previous = same_place(to, from, from->previous);
	to->next = same_place(to, from, from->next);
}

struct keypair *keypairs_find_serial(struct keypairs *keypairs, uint64_t serial)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		if (serial && keypairs->pool[i].serial == serial)
			return &keypairs->pool[i];
	}
	return NULL;
}

static void drop_place(struct keypairs *keypairs, struct keypair *place)
{
	struct keypair **const slots[] = { &keypairs->current, &keypairs->previous,
					   &keypairs->next };

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		if (*slots[i] == place)
			*slots[i] = NULL;
	}
	sodium_memzero(place, sizeof(*place));
}

void keypairs_follow(struct keypairs *own, struct keypairs *told)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		struct keypair *place = &told->pool[i];
		const struct keypair *mine = keypairs_find_serial(own, place->serial);

		if (!place->serial)
			continue;
		if (mine) {
			place->send_key = mine->send_key;
			place->receive_key = mine->receive_key;
			place->send_counter = mine->send_counter;
			place->replay = mine->replay;
		} else if (place->serial <= own->n_made) {
			drop_place(told, place);
		}
	}
	keypairs_copy(own, told);
	keypairs_wipe(told);
}

void keypairs_wipe_send_keys(struct keypairs *keypairs)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++)
		sodium_memzero(&keypairs->pool[i].send_key, sizeof(keypairs->pool[i].send_key));
}

void keypairs_wipe_receive_keys(struct keypairs *keypairs)
{
	for (size_t i = 0; i < N_KEYPAIRS; i++)
		sodium_memzero(&keypairs->pool[i].receive_key,
			       sizeof(keypairs->pool[i].receive_key));
}

bool keypair_can_send(const struct keypair *keypair, nsec_t now)
{
	return keypair && !nsec_expired(keypair->birth, REJECT_AFTER_TIME, now) &&
	       keypair->send_counter < REJECT_AFTER_MESSAGES;
}

size_t keypair_padded_len(size_t len, size_t mtu)
{
	/* A packet longer than the MTU counts by its last MTU-sized piece, as in the kernel. */
	size_t last_piece = mtu && len > mtu ? len % mtu : len;
	size_t padded = (last_piece + PADDING_UNIT - 1) / PADDING_UNIT * PADDING_UNIT;

	if (mtu)
		padded = MIN(padded, mtu);
	return len - last_piece + padded;
}

size_t keypair_seal(struct keypair *keypair, uint8_t *message, const uint8_t *plain,
		    size_t plain_len)
{
	struct msg_data header = {
		.type = le32_make(MSG_DATA),
		.receiver = le32_make(keypair->remote_index),
		.counter = le64_make(keypair->send_counter),
	};

	memcpy(message, &header, sizeof(header));
	cipher_seal(keypair->cipher, &keypair->send_key, message + DATA_HEADER_LEN, plain,
		    plain_len, keypair->send_counter);
	keypair->send_counter++;
	return DATA_HEADER_LEN + plain_len + keypair->cipher->tag_len;
}

/* Whether a message may be opened; if not, its result says why. */
static bool may_open(const struct keypair *keypair, struct sealed_message *message,
		     uint64_t counter, nsec_t now)
{
	if (nsec_expired(keypair->birth, REJECT_AFTER_TIME, now) ||
	    counter >= REJECT_AFTER_MESSAGES) {
		message->result = KEYPAIR_EXPIRED;
		return false;
	}
	message->result = KEYPAIR_NOT_AUTHENTIC;
	return message->len >= DATA_HEADER_LEN + keypair->cipher->tag_len;
}

/* What came of a message whose tag was right. */
static void accept_opened(struct keypair *keypair, struct sealed_message *message, uint64_t counter)
{
	uint64_t n_end = keypair->replay.n_end;

	message->serial = keypair->serial;
	message->plain_len = message->len - DATA_HEADER_LEN - keypair->cipher->tag_len;
	message->result =
		replay_accept(&keypair->replay, counter) ? KEYPAIR_OPENED : KEYPAIR_REPLAYED;
	message->n_ahead = keypair->replay.n_end - n_end;
	message->is_first = n_end == 0 && message->result == KEYPAIR_OPENED;
}

void keypair_open(struct keypair *keypair, struct sealed_message *messages, size_t n, nsec_t now)
{
	struct cipher_job jobs[OPEN_BATCH];
	struct sealed_message *tried[OPEN_BATCH];
	size_t n_jobs = 0;

	for (size_t i = 0; i < n; i++) {
		struct sealed_message *message = &messages[i];
		uint8_t *sealed = message->bytes + DATA_HEADER_LEN;
		struct msg_data header;

		memcpy(&header, message->bytes, sizeof(header));
		message->is_first = false;
		if (!may_open(keypair, message, le64_load(header.counter), now))
			continue;
		tried[n_jobs] = message;
		jobs[n_jobs++] = (struct cipher_job) {
			.to = sealed,
			.from = sealed,
			.len = message->len - DATA_HEADER_LEN,
			.counter = le64_load(header.counter),
		};
	}
	keypair->cipher->open_batch(&keypair->receive_key, jobs, n_jobs);
	for (size_t i = 0; i < n_jobs; i++) {
		if (jobs[i].is_authentic)
			accept_opened(keypair, tried[i], jobs[i].counter);
	}
}

static uint32_t receiver_of(const struct sealed_message *message)
{
	struct msg_data header;

	memcpy(&header, message->bytes, sizeof(header));
	return le32_load(header.receiver);
}

void keypairs_open(struct keypairs *keypairs, struct sealed_message *messages, size_t n, nsec_t now)
{
	for (size_t i = 0, n_alike; i < n; i += n_alike) {
		uint32_t index = receiver_of(&messages[i]);
		struct keypair *keypair = keypairs_find(keypairs, index);

		for (n_alike = 0; n_alike < OPEN_BATCH && i + n_alike < n; n_alike++) {
			struct sealed_message *message = &messages[i + n_alike];

			if (receiver_of(message) != index)
				break;
			message->result = KEYPAIR_UNKNOWN;
			message->is_first = false;
		}
		if (keypair)
			keypair_open(keypair, &messages[i], n_alike, now);
	}
}
