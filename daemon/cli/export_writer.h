/*
 * The far end of a link as a stock WireGuard wants it: what this end's file says, seen from the
 * other side, in the syntax of wg-quick.
 *
 * What this end cannot know stays open: it becomes a comment in the file that says what belongs
 * there, and a bit in the result.
 */
#ifndef CLI_EXPORT_WRITER_H
#define CLI_EXPORT_WRITER_H

#include <stdbool.h>

#include "conf/model.h"
#include "daemon/cli/secret_text.h"

/* What is left open in the file, or what a stock WireGuard cannot do; a set of bits. */
enum export_writer_gap {
	EXPORT_WRITER_NO_KEY = 1 << 0,      /* the far end's private key is its own affair */
	EXPORT_WRITER_NO_ADDRESS = 1 << 1,  /* AllowedIPs does not tell its address in the link */
	EXPORT_WRITER_NO_ENDPOINT = 1 << 2, /* nobody said where this host is reached */
	EXPORT_WRITER_NO_CALLER = 1 << 3,   /* neither end knows where the other is */
	EXPORT_WRITER_CIPHER = 1 << 4,      /* this end insists on a cipher of vpnd's */
};

/* What an export needs beside the link file. */
struct export_writer {
	const struct conf_link *link;
	const struct key *private_key;       /* the far end's; NULL: not known */
	const struct endpoint_spec *address; /* where this host is reached; NULL: not known */
	bool has_comments; /* false: as short as possible, and what is open is just left out */
};

/* Bytes that are enough for any file but one with very many AllowedIPs. */
#define EXPORT_WRITER_SIZE 16384

/*!
 * Writes the file.
 * \param text  gets it
 * \return bits of enum export_writer_gap
 */
unsigned int export_writer_file(const struct export_writer *writer, struct secret_text *text);

/*!
 * The addresses that the far end has inside the link, as far as this end's file tells: host
 * prefixes of AllowedIPs that lie in the network of one of this end's addresses, with the length
 * of that network; or, when a family has none of these, its only host prefix as it is.
 * \param ret    room for `max`
 * \return how many
 */
size_t export_writer_addresses(const struct conf_link *link, struct prefix *ret, size_t max);

#endif
