/* The gauge of handshake load; see load.h. */
#include "daemon/proto/load.h"

#include "common/defs.h"

bool load_count(struct load_gauge *gauge, nsec_t now)
{
	nsec_t empty_at = MAX(gauge->empty_at, now) + NSEC_PER_SEC / LOAD_PER_SECOND;

	if (empty_at > now + NSEC_PER_SEC)
		gauge->loaded_until = now + LOAD_LINGER;
	else
		gauge->empty_at = empty_at;
	return now < gauge->loaded_until;
}
