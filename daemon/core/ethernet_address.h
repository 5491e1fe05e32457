/* The Ethernet address of a TAP interface: always the same one for the same link. */
#ifndef CORE_ETHERNET_ADDRESS_H
#define CORE_ETHERNET_ADDRESS_H

#include <stdint.h>

#include "common/key.h"

#define ETHERNET_ADDRESS_LEN 6

/*!
 * Makes the address from the link's name and the key of this end, so that it is the same after
 * every restart (neighbours, DHCP leases and bridges remember it) and another one at each end. The
 * hash gives nothing away of the key. It is a locally administered address of one station
 * (IEEE 802, clause 8.4) and begins with fe: a bridge without an address of its own takes the
 * lowest of its ports (br_stp_recalculate_bridge_id() of the kernel), so that with a lower one a
 * link that comes and goes would change the address under which its neighbours and DHCP know the
 * host.
 */
void ethernet_address_make(const char *link, const struct key *own_public,
			   uint8_t ret[static ETHERNET_ADDRESS_LEN]);

#endif
