/*
 * Lists of prefixes as sets: an order, what is in one, and what one list has that another lacks.
 * Sorted for that, because lists of a hundred thousand AllowedIPs exist.
 */
#ifndef CONF_PREFIXES_H
#define CONF_PREFIXES_H

#include <stdbool.h>

#include "conf/model.h"

/*!
 * Orders by family, length and address; bits behind the length count, because an Address has them.
 * \return negative, 0 (the same prefix) or positive, as for qsort(3)
 */
int prefixes_compare(const struct prefix *a, const struct prefix *b);

/*! Whether a prefix of the family is in the list. \param family  AF_INET or AF_INET6 */
bool prefixes_has_family(const struct conf_prefixes *list, int family);

/*! Whether all addresses of the family are in the list as one prefix: 0.0.0.0/0 or ::/0. */
bool prefixes_has_default(const struct conf_prefixes *list, int family);

/*!
 * Adds a copy of a prefix at the end.
 *
 * \return 0, or -ENOMEM, and the list is as it was
 */
must_check int prefixes_append(struct conf_prefixes *list, const struct prefix *prefix);

/*!
 * Finds what makes one list into the other. Order and repetition mean nothing in either.
 * \param added    set to what only `new` has, ascending; owned by the caller, also after an error
 * \param removed  the same for what only `old` has
 * \return 0 or -ENOMEM
 */
must_check int prefixes_diff(const struct conf_prefixes *old, const struct conf_prefixes *new,
			     struct conf_prefixes *added, struct conf_prefixes *removed);

#endif
