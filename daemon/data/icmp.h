/*
 * "Unreachable", for a packet that the link does not carry: so that a program learns at once what
 * it would otherwise learn by waiting (RFC 792, RFC 4443 section 3.1; kernel device.c, wg_xmit).
 */
#ifndef DATA_ICMP_H
#define DATA_ICMP_H

#include "daemon/data/inner.h"

/* Longest message that icmp_unreachable() makes: RFC 4443 allows the minimum MTU of IPv6. */
#define ICMP_MAX_LEN 1280

/*!
 * Makes the ICMP message "host unreachable" or "address unreachable" about a packet. It comes
 * from the packet's destination and goes to its source, with as much of the packet as the RFCs
 * ask for.
 * \param packet  as it came from the interface
 * \param buf     ICMP_MAX_LEN bytes
 * \return bytes; 0 when no such message may be sent: about an ICMP error, about a later fragment,
 *         to or from a group of addresses (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e))
 */
size_t icmp_unreachable(const struct inner *packet, uint8_t buf[static ICMP_MAX_LEN]);

#endif
