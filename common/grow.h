/*
 * Lists that grow by doubling: one whose number of items is a power of two is full, so the capacity
 * needs no member of its own.
 */
#ifndef COMMON_GROW_H
#define COMMON_GROW_H

#include <stddef.h>

#include "common/defs.h"

/*!
 * Makes room for one more item.
 *
 * \param items      a list from here, or NULL when `n` is 0
 * \param n          items in it
 * \param item_size  bytes of one
 * \return the list, perhaps moved, for free(); NULL when memory is short, and the old one still
 *         stands
 */
must_check void *grow_list(void *items, size_t n, size_t item_size);

/*!
 * Makes a list for items whose number is known, with the capacity that grow_list() will believe in
 * when more are added.
 *
 * \param n          items that it will have, 1 or more
 * \param item_size  bytes of one
 * \return the list, all zero, for free(); NULL when memory is short
 */
must_check void *grow_list_for(size_t n, size_t item_size);

#endif
