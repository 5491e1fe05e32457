/*
 * What happens in the packet filter to packets that other hosts send through a link: Masquerade
 * and MssClamp, as rules of the link's table.
 *
 * Masquerade. What leaves by the interface gets the interface's address, so that the far end needs
 * no route to the network behind this host. With "yes" that is all that comes from anywhere but
 * the interface's own networks, of the IP versions that the interface has an address of; with a
 * list of prefixes it is what comes from those.
 *
 * MssClamp. Both ends of a TCP connection say in their first segment how large the other's may be
 * (RFC 9293 section 3.7.1), and neither knows that a narrower link lies between them. They would
 * find out by ICMP, which many firewalls drop. So the number is lowered in passing, in both
 * directions, to what the routes of that connection carry at that moment. Bridged frames do not
 * come by there.
 */
#ifndef DAEMON_HOST_NAT_H
#define DAEMON_HOST_NAT_H

#include <stdbool.h>

#include "conf/model.h"
#include "daemon/host/nft.h"

/*! Whether a link file asks for any masquerading. */
must_check bool nat_is_needed(const struct conf_link *conf);

/*! Writes the chain of Masquerade into the link's table. \param ifindex  the link's interface */
void nat_write_masquerade(struct nft *nft, const struct conf_link *conf, unsigned int ifindex);

/*!
 * Writes the chain of MssClamp.
 * \param mss  bytes in the host's order; CONF_MSS_AUTO: what the routes carry
 */
void nat_write_clamp(struct nft *nft, unsigned int mss, unsigned int ifindex);

#endif
