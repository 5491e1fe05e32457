/*
 * The table of all keys that a link file may hold.
 *
 * There is one row a key, and it is the only place that knows the key: reading, checking, the
 * guess at a mistyped name, the manual page's test for completeness and shell completion all go
 * through it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/values.h"

enum keys_section {
	KEYS_INTERFACE,
	KEYS_PEER,
	KEYS_N_SECTIONS,
};

enum keys_flag {
	KEYS_REPEATABLE = 1 << 0, /* each line adds to what is there */
	KEYS_LIST = 1 << 1,       /* commas separate entries, other white space means nothing */
	KEYS_WORDS = 1 << 2,      /* commas and white space separate entries */
	KEYS_SECRET = 1 << 3,     /* the member is one of conf_secrets; never copied */
	KEYS_VERBATIM = 1 << 4,   /* "#" is part of the value: it is a shell command */
	KEYS_EMPTY = 1 << 5,      /* may stand without a value, as an empty list */
};

/* Position in the table. */
enum keys_id {
	KEYS_PRIVATE_KEY,
	KEYS_PRIVATE_KEY_FILE,
	KEYS_LISTEN_PORT,
	KEYS_FWMARK,
	KEYS_ADDRESS,
	KEYS_DNS,
	KEYS_MTU,
	KEYS_TABLE,
	KEYS_PRE_UP,
	KEYS_POST_UP,
	KEYS_PRE_DOWN,
	KEYS_POST_DOWN,
	KEYS_SAVE_CONFIG,
	KEYS_MODE,
	KEYS_BRIDGE,
	KEYS_BRIDGE_CREATE,
	KEYS_NAMESPACE,
	KEYS_FORWARD,
	KEYS_MASQUERADE,
	KEYS_MSS_CLAMP,
	KEYS_READY_WHEN,
	KEYS_PUBLIC_KEY,
	KEYS_PRESHARED_KEY,
	KEYS_PRESHARED_KEY_FILE,
	KEYS_ALLOWED_IPS,
	KEYS_ENDPOINT,
	KEYS_PERSISTENT_KEEPALIVE,
	KEYS_CIPHER,
	KEYS_N,
	KEYS_NONE, /* no such key */
};

struct keys_row {
	enum keys_section section;
	unsigned int flags;   /* of enum keys_flag */
	const char *name;     /* as the manual spells it */
	values_parser *parse; /* of one value or entry */
	size_t offset;        /* of the member in conf_link, or in conf_secrets */
	size_t max;           /* most entries of a repeatable key; 0: as many as the file holds */
	const char *help;     /* one line, no full stop */
};

/* KEYS_N rows. */
extern const struct keys_row keys_table[];

/*! The section's name without brackets. */
const char *keys_section_name(enum keys_section section);

/*! The section of a name, compared without case; KEYS_N_SECTIONS when there is none. */
enum keys_section keys_section_find(const char *name);

/*! The section's name that was probably meant, or NULL. */
const char *keys_section_nearest(const char *name);

/*! The key of a name in a section, compared without case; KEYS_NONE when there is none. */
enum keys_id keys_find(enum keys_section section, const char *name);

/*! The key's name in a section that was probably meant, or NULL. */
const char *keys_nearest(enum keys_section section, const char *name);

/*! Whether the values of a key, in whatever section, keep their "#". */
bool keys_is_verbatim(const char *name);

/*! The key that gives the commands of a hook, for example "PreUp". */
const char *keys_hook_name(enum conf_hook hook);

/*! Where a key's value goes. */
void *keys_field(const struct keys_row *row, struct conf_link *link);

#endif
