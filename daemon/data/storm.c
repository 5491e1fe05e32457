/* The token bucket; see storm.h. */
#include "daemon/data/storm.h"

#include <net/ethernet.h>

/* In the first byte of an address: it is a group's, IEEE 802 section 8.2.2. */
#define GROUP_BIT 0x01

/* What a full bucket holds: the tokens of one second. */
#define FULL NSEC_PER_SEC

void storm_init(struct storm *storm, unsigned int limit, nsec_t now)
{
	*storm = (struct storm) { .limit = limit, .tokens = FULL, .last = now };
}

bool storm_admits(struct storm *storm, const uint8_t *frame, size_t len, nsec_t now)
{
	nsec_t price;

	if (storm->limit == 0 || len < ETH_ALEN || !(frame[0] & GROUP_BIT))
		return true;
	storm->tokens = MIN(FULL, storm->tokens + MIN(FULL, now - storm->last));
	storm->last = now;
	price = NSEC_PER_SEC / storm->limit;
	if (storm->tokens < price)
		return false;
	storm->tokens -= price;
	return true;
}
