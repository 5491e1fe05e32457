/*
 * Writes a link file for people: each line has a comment that says what it is for, so that the
 * administrator of either host can change it without a manual.
 */
#ifndef CLI_LINK_WRITER_H
#define CLI_LINK_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/key.h"
#include "common/netaddr.h"
#include "daemon/cli/secret_text.h"

/* A network for each family. */
#define LINK_WRITER_NETS_MAX 2

/* Seconds between the keepalives of a host that others cannot reach: shorter than what home
 * routers and RFC 4787 section 4.3 keep a UDP mapping for. */
#define LINK_WRITER_KEEPALIVE 25

/* Bytes that are enough for any file. */
#define LINK_WRITER_SIZE 8192

/* The two hosts of a link: the one where the files are written, and the other. */
enum link_writer_host { LINK_WRITER_HERE, LINK_WRITER_THERE, LINK_WRITER_N_HOSTS };

/* One end of a link. */
struct link_writer_end {
	struct endpoint_spec host; /* where it is reached */
	bool is_roaming;           /* it has no address of its own, and `host` says nothing */
	struct key public_key;
	struct prefix addresses[LINK_WRITER_NETS_MAX]; /* inside the link, with lengths */
	size_t n_addresses;
};

/* In memory from secret_alloc(). */
struct link_writer_secrets {
	struct key private_keys[LINK_WRITER_N_HOSTS];
	struct key preshared_key;
};

/* A link that is to be. */
struct link_writer {
	const char *link; /* name of the link and of its interface at both ends */
	bool is_tap;      /* Ethernet frames instead of packets */
	struct link_writer_end ends[LINK_WRITER_N_HOSTS];
	const struct link_writer_secrets *secrets;
};

/*!
 * Writes the file of one end; what a host must not know, the private key of the other, is not in
 * it.
 * \param writer  the whole link
 * \param host    whose file
 * \param text    gets the file; LINK_WRITER_SIZE bytes are enough
 */
void link_writer_file(const struct link_writer *writer, enum link_writer_host host,
		      struct secret_text *text);

#endif
