/*
 * Words that C lacks: sizes of arrays, smaller and larger, container of a member, and the
 * attributes that make the compiler check what a comment can only ask for.
 */
#ifndef COMMON_DEFS_H
#define COMMON_DEFS_H

#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))
/* Exchanges two values of the same type. */
#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swapped = (a);                                                       \
                                                                                                   \
		(a) = (b);                                                                         \
		(b) = swapped;                                                                     \
	} while (0)
#define container_of(member_ptr, type, member)                                                     \
	((type *)(void *)((char *)(member_ptr)-offsetof(type, member)))

/* The result says whether something is authentic or done: ignoring it is a bug. */
#define must_check __attribute__((warn_unused_result))
/* Arguments are checked like printf's. */
#define printf_like(f, a) __attribute__((format(printf, f, a)))

#endif
