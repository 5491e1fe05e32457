/*
 * Memory for keys: pages of their own between guard pages, locked where the limit allows, left
 * out of core dumps, and not copied into forked children such as the resolver.
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stddef.h>

/*!
 * Allocates `size` bytes, all zero. A page or two are spent on each call: one allocation for
 * many keys, not one for each.
 * \return for secret_free(); NULL when there is no memory
 */
void *secret_alloc(size_t size);

/*! Wipes and frees; NULL is fine. */
void secret_free(void *secret);

#endif
