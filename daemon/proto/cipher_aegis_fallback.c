/* AEGIS where libsodium does not have it: rows that are never available. */
#include "daemon/proto/cipher_rows.h"

static bool never(void)
{
	return false;
}

const struct cipher cipher_aegis128l = { .name = "aegis128l", .is_available = never };
const struct cipher cipher_aegis256 = { .name = "aegis256", .is_available = never };
