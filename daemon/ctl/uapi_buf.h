/*
 * A growing text in memory for secrets: requests and answers of WireGuard's protocol carry
 * private keys in hexadecimal, so whatever held one is wiped before it is given back.
 *
 * Growth that fails is remembered, so that a writer may add many pieces and ask once.
 */
#ifndef CTL_UAPI_BUF_H
#define CTL_UAPI_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/key.h"

/* All zero is an empty one. */
struct uapi_buf {
	char *bytes; /* of secret_alloc(), not NUL-terminated; owned */
	size_t len;
	size_t size;    /* bytes that fit */
	bool is_broken; /* memory was short: the text is not whole */
};

/*! Wipes and frees; empty afterwards. */
void uapi_buf_deinit(struct uapi_buf *buf);

/*!
 * Makes room for `n_more` bytes behind the text, at least doubling what is there.
 * \return false when memory is short; the text stands and is_broken is set
 */
must_check bool uapi_buf_reserve(struct uapi_buf *buf, size_t n_more);

/*! Adds bytes; does nothing once the buffer is broken. */
void uapi_buf_add(struct uapi_buf *buf, const void *bytes, size_t n_bytes);

/*! Adds text of fewer than 128 characters, which must not be secret: it passes the stack. */
void uapi_buf_print(struct uapi_buf *buf, const char *format, ...) printf_like(2, 3);

/*! Adds "NAME=" with a key in hexadecimal and the end of the line, in constant time. */
void uapi_buf_add_key(struct uapi_buf *buf, const char *name, const struct key *key);

/*! Takes `n_bytes` from the front. Nothing left: the memory is wiped and given back. */
void uapi_buf_drop(struct uapi_buf *buf, size_t n_bytes);

#endif
