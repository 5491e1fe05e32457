/* The token bucket; see storm.h. */
#include "daemon/data/storm.h"

#include <net/ethernet.h>
#include <string.h>

#include "daemon/data/frame.h"

/* What a full bucket holds: the tokens of one second. */
#define FULL NSEC_PER_SEC

/* The addresses between neighbours, of which the last half byte is the purpose: IEEE 802.1Q,
 * table 8-1. */
static bool is_for_neighbour(const uint8_t *address)
{
	static const uint8_t reserved[ETH_ALEN - 1] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return memcmp(address, reserved, sizeof(reserved)) == 0 && address[ETH_ALEN - 1] <= 0x0f;
}

static bool goes_to_everybody(const struct stations *stations, const uint8_t *address, nsec_t now)
{
	if (address[0] & FRAME_GROUP_BIT)
		return !is_for_neighbour(address);
	return !stations_know(stations, address, now);
}

void storm_init(struct storm *storm, unsigned int limit, nsec_t now)
{
	*storm = (struct storm) { .limit = limit, .tokens = FULL, .last = now };
}

bool storm_admits(struct storm *storm, const struct stations *stations, const uint8_t *address,
		  size_t n_frames, nsec_t now)
{
	nsec_t price;

	if (storm->limit == 0 || !goes_to_everybody(stations, address, now))
		return true;
	storm->tokens = MIN(FULL, storm->tokens + MIN(FULL, now - storm->last));
	storm->last = now;
	price = MIN(FULL, n_frames * (NSEC_PER_SEC / storm->limit));
	if (storm->tokens < price)
		return false;
	storm->tokens -= price;
	return true;
}
