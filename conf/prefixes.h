/*
 * Lists of prefixes as sets: an order, and what one list has that another lacks. Sorted, because
 * lists of a hundred thousand AllowedIPs exist.
 */
#ifndef CONF_PREFIXES_H
#define CONF_PREFIXES_H

#include "conf/model.h"

/*!
 * Orders by family, length and address; bits behind the length count, because an Address has them.
 * \return negative, 0 (the same prefix) or positive, as for qsort(3)
 */
int prefixes_compare(const struct prefix *a, const struct prefix *b);

/*!
 * Finds what makes one list into the other. Order and repetition mean nothing in either.
 * \param added    set to what only `new` has, ascending; owned by the caller, also after an error
 * \param removed  the same for what only `old` has
 * \return 0 or -ENOMEM
 */
must_check int prefixes_diff(const struct conf_prefixes *old, const struct conf_prefixes *new,
			     struct conf_prefixes *added, struct conf_prefixes *removed);

#endif
