/* Offers in timestamps; see offer.h. */
#include "daemon/proto/offer.h"

#include <string.h>

/* Below 0x9ac: the nanoseconds' highest byte is at most 0x3b, and 0x3b9ac9ff is 10^9 - 1. */
#define MARKER       0x5a7U
#define MARKER_SHIFT 12
#define FLAGS_MASK   0xfffU

void offer_write(struct tai64n *stamp, offer_t offer)
{
	uint32_t ns = be32_load(stamp->nanoseconds) & ~(TAI64N_STEP_NS - 1);

	if (offer)
		ns |= MARKER << MARKER_SHIFT | (offer & FLAGS_MASK);
	stamp->nanoseconds = be32_make(ns);
}

offer_t offer_read(const struct tai64n *stamp)
{
	uint32_t low = be32_load(stamp->nanoseconds) & (TAI64N_STEP_NS - 1);

	/* Others send all their nanoseconds: few of those may look like an offer. */
	if (low >> MARKER_SHIFT != MARKER || low & FLAGS_MASK & ~OFFER_KNOWN)
		return 0;
	return (offer_t)(low & FLAGS_MASK);
}

const char *offer_label(enum offer_carries carries, enum cipher_suite suite, size_t *len)
{
	static const char *const labels[][N_CIPHERS] = {
		[OFFER_PACKETS] = {
			[CIPHER_CHACHA20_POLY1305] = "",
			[CIPHER_AES256_GCM] = "vpnd suite 1: AES-256-GCM",
			[CIPHER_AEGIS128L] = "vpnd suite 2: AEGIS-128L",
			[CIPHER_AEGIS256] = "vpnd suite 3: AEGIS-256",
		},
		[OFFER_FRAMES] = {
			[CIPHER_CHACHA20_POLY1305] = "vpnd frames, suite 0: ChaCha20-Poly1305",
			[CIPHER_AES256_GCM] = "vpnd frames, suite 1: AES-256-GCM",
			[CIPHER_AEGIS128L] = "vpnd frames, suite 2: AEGIS-128L",
			[CIPHER_AEGIS256] = "vpnd frames, suite 3: AEGIS-256",
		},
	};

	*len = strlen(labels[carries][suite]);
	return labels[carries][suite];
}

const char *offer_refusal_label(size_t *len)
{
	static const char label[] = "vpnd refusal: packets and frames";

	*len = sizeof(label) - 1;
	return label;
}
