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

	while (i < N_KEYPAIRS - 1 && keypairs->pool[i].is_used)
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
		.is_used = true,
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
		if (keypairs->pool[i].is_used && keypairs->pool[i].local_index == local_index)
			return &keypairs->pool[i];
	}
	return NULL;
}

void keypairs_wipe(struct keypairs *keypairs)
{
	sodium_memzero(keypairs, sizeof(*keypairs));
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
	keypair->cipher->seal(&keypair->send_key, message + DATA_HEADER_LEN, plain, plain_len,
			      keypair->send_counter);
	keypair->send_counter++;
	return DATA_HEADER_LEN + plain_len + keypair->cipher->tag_len;
}

enum keypair_result keypair_open(struct keypair *keypair, uint8_t *message, size_t len, nsec_t now,
				 size_t *plain_len)
{
	const struct cipher *cipher = keypair->cipher;
	struct msg_data header;
	uint64_t counter;

	memcpy(&header, message, sizeof(header));
	counter = le64_load(header.counter);
	if (nsec_expired(keypair->birth, REJECT_AFTER_TIME, now) ||
	    counter >= REJECT_AFTER_MESSAGES)
		return KEYPAIR_EXPIRED;
	if (len < DATA_HEADER_LEN + cipher->tag_len ||
	    !cipher->open(&keypair->receive_key, message + DATA_HEADER_LEN,
			  message + DATA_HEADER_LEN, len - DATA_HEADER_LEN, counter))
		return KEYPAIR_NOT_AUTHENTIC;
	*plain_len = len - DATA_HEADER_LEN - cipher->tag_len;
	return replay_accept(&keypair->replay, counter) ? KEYPAIR_OPENED : KEYPAIR_REPLAYED;
}
