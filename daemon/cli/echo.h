/*
 * Whether somebody answers: one echo request (RFC 792, RFC 4443), or one UDP datagram that is no
 * message of any protocol.
 */
#ifndef CLI_ECHO_H
#define CLI_ECHO_H

#include "common/netaddr.h"
#include "common/nsec.h"

/*!
 * Sends an echo request and waits for its answer. Asks for an unprivileged socket first
 * (net.ipv4.ping_group_range), then for a raw one.
 * \param to       address; the port does not matter
 * \param device   the interface to send through, or NULL
 * \param mark     on the packet; 0: none
 * \param limit    how long to wait
 * \param ret      set to the round-trip time on success
 * \return 0; -ETIMEDOUT; -EPERM or -EACCES: this user may not; -EHOSTUNREACH and the like: somebody
 *         on the way says that it cannot be reached; another negated errno value
 */
must_check int echo_ask(const union netaddr *to, const char *device, uint32_t mark, nsec_t limit,
			nsec_t *ret);

/*!
 * Sends an empty datagram to a port, and waits for somebody to refuse it. Who does not know it
 * drops it: WireGuard does.
 * \return -ETIMEDOUT: nobody has refused it; -ECONNREFUSED: nothing listens there; -EHOSTUNREACH
 *         and the like; -EPERM when the mark may not be set; another negated errno value; never 0
 */
must_check int echo_knock(const union netaddr *to, uint32_t mark, nsec_t limit);

#endif
