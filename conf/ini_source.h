/*
 * A link file's text into sections and keys, by inih, without inih ever seeing a value.
 *
 * Debian's inih holds 200 characters a line, ends a value at " ;", and keeps values in buffers
 * that cannot be wiped. So the reader that it pulls its lines from walks the text where it lies,
 * applies wg-quick's rule for comments, and hands on short lines only: "[Section]", and
 * "Key=LINE" with the number of the line in place of the value. When inih has made key and
 * section out of that, the value is looked up where it lies.
 */
#ifndef CONF_INI_SOURCE_H
#define CONF_INI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"

/* One "Key = value". All pointers hold during the call only. */
struct ini_entry {
	const char *section; /* "" before the first heading */
	const char *key;     /* 1 to 40 of [A-Za-z0-9_-] */
	const char *value;   /* into the text, no NUL behind it, no white space around it */
	size_t len;          /* of the value, may be 0 */
	unsigned int line;
};

/* What the reader is told, in the order of the file. */
struct ini_events {
	/* `name` is NULL for a heading that cannot be read and is reported already. */
	void (*section)(void *ctx, const char *name, unsigned int line);
	void (*entry)(void *ctx, const struct ini_entry *entry);
	/* Whether the values of this key keep their "#". */
	bool (*verbatim)(const char *key);
};

/*!
 * Reads a text. Lines that are neither section, key nor comment are reported and skipped; keys
 * below a broken heading are skipped, since nobody knows where they belong.
 * \param text    `len` bytes, any; lines end in LF or CR LF, the last one needs no end, and a
 *                UTF-8 byte order mark in front is skipped
 * \param events  what to call; all three are needed
 * \param ctx     handed to the first two
 * \param diag    findings; nothing of the text's content gets into them
 */
void ini_source_read(const char *text, size_t len, const struct ini_events *events, void *ctx,
		     struct diag *diag);

#endif
