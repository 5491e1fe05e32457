/*
 * Keys as base64, through libsodium's codec, which maps characters without tables and branches.
 * It stops at the first character that is no base64; what is decoded until then was no key.
 */
#include "common/keytext.h"

#include <sodium.h>

_Static_assert(sodium_base64_ENCODED_LEN(KEY_LEN, sodium_base64_VARIANT_ORIGINAL) ==
		       KEYTEXT_LEN + 1,
	       "a key has 44 characters");

bool keytext_decode(const char *text, size_t len, struct key *ret)
{
	struct key key;
	size_t n_bytes = 0;
	unsigned char all_bits = 0;
	bool ok;

	if (len != KEYTEXT_LEN)
		return false;
	/* libsodium 1.0.18 takes bytes from 0x80 for characters of its alphabet. */
	for (size_t i = 0; i < len; i++)
		all_bits |= (unsigned char)text[i];
	if ((all_bits & 0x80) != 0)
		return false;
	/* It insists on the padding and on zero bits behind the last byte: canonical only. */
	ok = sodium_base642bin(key.bytes, sizeof(key.bytes), text, len, NULL, &n_bytes, NULL,
			       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	     n_bytes == sizeof(key.bytes);
	if (ok)
		*ret = key;
	sodium_memzero(&key, sizeof(key));
	return ok;
}

void keytext_encode(const struct key *key, char buf[static KEYTEXT_LEN + 1])
{
	sodium_bin2base64(buf, KEYTEXT_LEN + 1, key->bytes, sizeof(key->bytes),
			  sodium_base64_VARIANT_ORIGINAL);
}
