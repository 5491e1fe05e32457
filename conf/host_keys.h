/*
 * The table of all settings that the host file may hold.
 *
 * There is one row a setting, and it is the only place that knows the setting: defaults, reading,
 * limits, the guess at a mistyped name, the manual page's test for completeness and shell
 * completion all go through it.
 */
#ifndef CONF_HOST_KEYS_H
#define CONF_HOST_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "conf/host_model.h"
#include "conf/words.h"

/* The type of a value, and of the member that it goes to. */
enum host_keys_type {
	HOST_KEYS_SWITCH, /* true or false; bool */
	HOST_KEYS_NUMBER, /* decimal; unsigned int */
	HOST_KEYS_WORD,   /* one of some words; an enum without negative values */
	HOST_KEYS_USER,   /* the name of a user; char[CONF_USER_MAX] */
};

/* Position in the table. */
enum host_keys_id {
	HOST_KEYS_LOG_LEVEL,
	HOST_KEYS_LOG_TARGET,
	HOST_KEYS_TUN_SPLIT_TCP,
	HOST_KEYS_TUN_SPLIT_UDP,
	HOST_KEYS_TUN_MERGE_TCP,
	HOST_KEYS_TUN_MERGE_UDP,
	HOST_KEYS_UDP_SEGMENT,
	HOST_KEYS_UDP_GRO,
	HOST_KEYS_TRUST_INNER_CHECKSUM,
	HOST_KEYS_TUN_BATCH,
	HOST_KEYS_UDP_SEND_BATCH,
	HOST_KEYS_UDP_RECEIVE_BATCH,
	HOST_KEYS_UDP_SEND_BUFFER,
	HOST_KEYS_UDP_RECEIVE_BUFFER,
	HOST_KEYS_TAP_BROADCAST_LIMIT,
	HOST_KEYS_HOOKS,
	HOST_KEYS_USER_NAME,
	HOST_KEYS_SANDBOX,
	HOST_KEYS_MTU,
	HOST_KEYS_PERSISTENT_KEEPALIVE,
	HOST_KEYS_CIPHER,
	HOST_KEYS_N,
	HOST_KEYS_NONE, /* no such setting */
};

struct host_keys_row {
	const char *group; /* all settings stand in groups, one level deep */
	const char *name;
	size_t offset; /* of the member in conf_host */
	enum host_keys_type type;
	unsigned int fallback; /* the value without a host file; of a switch 0 or 1 */
	unsigned int min;      /* of a number */
	unsigned int max;
	bool may_be_zero;          /* a number: 0 is allowed besides */
	const struct words *words; /* of a word */
	const char *wants;         /* continues "is not ..."; NULL for words, which are listed */
	const char *help;          /* one line, no full stop */
};

/* HOST_KEYS_N rows; those of a group stand together. */
extern const struct host_keys_row host_keys_table[];

/*! Whether a group of this name is known; case counts, as everywhere in libconfig. */
bool host_keys_is_group(const char *name);

/*! The group's name that was probably meant, or NULL. */
const char *host_keys_nearest_group(const char *name);

/*! The setting of a name in a group, or in any group when `group` is NULL; HOST_KEYS_NONE. */
enum host_keys_id host_keys_find(const char *group, const char *name);

/*! The setting's name in a group that was probably meant, or NULL. */
const char *host_keys_nearest(const char *group, const char *name);

/*! The name of the group at a place, in the table's order; NULL behind the last. */
const char *host_keys_group(size_t i);

/*!
 * Stores a value in the member that a row names, in the member's type.
 * \param value  checked already: 0 or 1, a number within limits, the value of a word
 */
void host_keys_set(const struct host_keys_row *row, struct conf_host *host, unsigned int value);

/*!
 * Stores the name of a user.
 * \param row   of the type HOST_KEYS_USER
 * \return false: no user is called that; see useradd(8)
 */
must_check bool host_keys_set_user(const struct host_keys_row *row, struct conf_host *host,
				   const char *name);

/*! What host_keys_set() stored. */
unsigned int host_keys_get(const struct host_keys_row *row, const struct conf_host *host);

#endif
