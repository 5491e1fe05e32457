/*
 * Keys as people write them: 44 characters of base64, decoded and encoded in constant time.
 */
#ifndef COMMON_KEYTEXT_H
#define COMMON_KEYTEXT_H

#include <stddef.h>

#include "common/defs.h"
#include "common/key.h"

/* Characters of a key in base64, without the NUL. */
#define KEYTEXT_LEN 44

/*!
 * Decodes a key.
 * \param text  exactly KEYTEXT_LEN characters of canonical base64, ending in '='; not read
 *              behind `len`
 * \param len   number of characters
 * \param ret   written only on success
 * \return false when it is anything but a key; a key is decoded in constant time, other text
 *         shows at most where it stops being one
 */
must_check bool keytext_decode(const char *text, size_t len, struct key *ret);

/*!
 * Encodes a key in constant time.
 * \param buf  KEYTEXT_LEN characters and a NUL
 */
void keytext_encode(const struct key *key, char buf[static KEYTEXT_LEN + 1]);

#endif
