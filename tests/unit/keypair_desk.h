/*
 * Keypairs on a desk: sessions whose keys and indices are a number, and a look at the slots.
 */
#ifndef TESTS_KEYPAIR_DESK_H
#define TESTS_KEYPAIR_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/defs.h"
#include "daemon/proto/keypair.h"

#define START (1000 * NSEC_PER_SEC)

/* Keys of which each byte is `n`; receiving with the same, so that one end can talk to itself. */
static inline struct noise_session_keys keys_of(uint8_t n)
{
	struct noise_session_keys keys = { .suite = CIPHER_CHACHA20_POLY1305 };

	memset(keys.send, n, sizeof(keys.send));
	memset(keys.receive, n, sizeof(keys.receive));
	return keys;
}

/* Installs a session with both indices `n` and keys `n`. */
static inline struct keypair *install(struct keypairs *keypairs, bool i_am_initiator, uint8_t n)
{
	struct noise_session_keys keys = keys_of(n);

	return keypairs_install(keypairs, &keys, i_am_initiator, n, n, START);
}

static inline int setup(void **state)
{
	static struct keypairs keypairs;

	memset(&keypairs, 0, sizeof(keypairs));
	*state = &keypairs;
	return 0;
}

/* The indices in the slots, 0 for an empty one; and that nothing else is in the pool. */
static inline void assert_slots(struct keypairs *keypairs, uint32_t current, uint32_t previous,
				uint32_t next)
{
	struct keypair *const slots[] = { keypairs->current, keypairs->previous, keypairs->next };
	const uint32_t expected[] = { current, previous, next };
	static const struct keypair wiped;
	size_t n_used = 0, n_expected = 0;

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		assert_int_equal(slots[i] ? slots[i]->local_index : 0, expected[i]);
		n_expected += expected[i] != 0;
		if (expected[i])
			assert_ptr_equal(keypairs_find(keypairs, expected[i]), slots[i]);
	}
	for (size_t i = 0; i < N_KEYPAIRS; i++) {
		n_used += keypairs->pool[i].serial != 0;
		/* What fell out is wiped, not only forgotten. */
		if (!keypairs->pool[i].serial)
			assert_memory_equal(&keypairs->pool[i], &wiped, sizeof(wiped));
	}
	assert_int_equal(n_used, n_expected);
}

#endif
