/*
 * Questions about prefixes that `vpnd doctor` asks: pure, so that they can be tested.
 */
#ifndef CLI_DOCTOR_PREFIX_H
#define CLI_DOCTOR_PREFIX_H

#include <stdbool.h>

#include "conf/model.h"

/*! Whether a prefix is a single address. */
bool prefix_is_host(const struct prefix *prefix);

/*! Whether two prefixes have an address in common. */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/*! Whether any prefix of a list has an address in common with `prefix`. */
bool prefixes_meet(const struct conf_prefixes *list, const struct prefix *prefix);

/*!
 * An address to try a prefix with: a single address is itself; of a net the first one that is not
 * our own; of a default route one of the public Internet.
 * \param own  this end's addresses
 * \param ret  with port 0
 * \return false when the only one is our own
 */
must_check bool prefix_first_host(const struct prefix *prefix, const struct conf_prefixes *own,
				  union netaddr *ret);

/*! Whether an address is one of those that NAT is used for: RFC 1918, RFC 6598, RFC 4193. */
bool prefix_is_private(const union netaddr *addr);

#endif
