/*
 * A link's configuration as bytes, for the way between two processes of vpnd: the one with rights
 * reads the file, the other one runs the link.
 *
 * How it works. A table has a row for each member, with what its value may be; writing and reading
 * both go through it, in its order. A new member of conf_link needs a row there. Secrets are not in
 * the bytes at all, so these may lie in any memory. Reading believes nothing: every length, number
 * and word of a list is checked before it is used, because the writer may be a process that
 * somebody has taken over.
 *
 * Both ends are the same program on the same machine, so numbers go over as they lie in memory.
 */
#ifndef CONF_PACK_H
#define CONF_PACK_H

#include <stddef.h>

#include "conf/model.h"

/* Bytes of the largest one that is read: a file of CONF_FILE_MAX is far below. */
#define PACK_MAX (64L * 1024 * 1024)

/*!
 * Writes a configuration without its secrets.
 *
 * \param ret      the bytes, for free()
 * \param ret_len  how many
 * \return 0 or -ENOMEM
 */
must_check int pack_link(const struct conf_link *link, char **ret, size_t *ret_len);

/*!
 * Reads one.
 *
 * \param ret  any bytes before; on success to be freed by conf_link_deinit(), its `secrets` are
 *             NULL; after a failure there is nothing to free
 * \return 0; -EBADMSG: no configuration; -ENOMEM
 */
must_check int pack_read_link(const void *bytes, size_t len, struct conf_link *ret);

/*!
 * Says which bytes of a conf_link go over, so that a test finds a member without a row.
 *
 * \param map  one for each byte of the struct: how many rows it is in
 */
void pack_cover(unsigned char map[static sizeof(struct conf_link)]);

#endif
