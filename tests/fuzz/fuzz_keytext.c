/*
 * Fuzz target: keys as text. What decodes must encode to the same text; what is 32 bytes must
 * survive both ways; nothing that is refused may touch the result.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[KEYTEXT_LEN + 1];
	struct key key;
	struct key untouched;
	struct key back;

	memset(&key, 0x5a, sizeof(key));
	untouched = key;
	if (keytext_decode((const char *)data, size, &key)) {
		check(size == KEYTEXT_LEN);
		keytext_encode(&key, text);
		check(memcmp(text, data, KEYTEXT_LEN) == 0);
	} else {
		check(key_equal(&key, &untouched));
	}

	memset(&key, 0, sizeof(key));
	if (size > 0)
		memcpy(key.bytes, data, size < KEY_LEN ? size : KEY_LEN);
	keytext_encode(&key, text);
	check(strlen(text) == KEYTEXT_LEN && text[KEYTEXT_LEN - 1] == '=');
	check(keytext_decode(text, KEYTEXT_LEN, &back));
	check(key_equal(&key, &back));
	return 0;
}
