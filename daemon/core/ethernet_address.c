/* The Ethernet address of a TAP interface; see ethernet_address.h. */
#include "daemon/core/ethernet_address.h"

#include <sodium.h>
#include <string.h>

/* The highest with the bit of local administration (0x02) and without that of groups (0x01). */
#define FIRST_BYTE 0xfe

void ethernet_address_make(const char *link, const struct key *own_public,
			   uint8_t ret[static ETHERNET_ADDRESS_LEN])
{
	static const char purpose[] = "vpnd Ethernet address";
	unsigned char digest[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, (const unsigned char *)purpose, sizeof(purpose));
	crypto_generichash_update(&state, own_public->bytes, sizeof(own_public->bytes));
	crypto_generichash_update(&state, (const unsigned char *)link, strlen(link));
	crypto_generichash_final(&state, digest, sizeof(digest));
	memcpy(ret, digest, ETHERNET_ADDRESS_LEN);
	ret[0] = FIRST_BYTE;
}
