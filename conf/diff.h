/*
 * What changes when one state of a link is replaced by another: the heart of a reload.
 *
 * Both states are whole: read, checked, and completed by the host's defaults. The result says for
 * each key of a link file whether it changes and how that is applied, in a sentence for the log,
 * and has the prefixes to add and to remove. It is compared what the values mean and not how they
 * were given: a key that moves into a file of its own is no change, nor is another order of
 * Address or AllowedIPs. Of AllowedIPs both are compared: what is accepted, and what has routes.
 */
#ifndef CONF_DIFF_H
#define CONF_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/keys.h"
#include "conf/model.h"

/* What it takes to apply a change; a later one includes those before. */
enum conf_effect {
	CONF_EFFECT_LATER,   /* nothing now: it counts at the next start or stop */
	CONF_EFFECT_LIVE,    /* applied at once, and the session goes on */
	CONF_EFFECT_SESSION, /* applied at once, and the peers must shake hands anew */
	CONF_EFFECT_RESTART, /* the interface must be made anew */
};

/* One key whose value changes. */
struct conf_change {
	enum keys_id key; /* also for what comes from PrivateKeyFile and PresharedKeyFile */
	enum conf_effect effect;
	char *text;      /* "MTU changes from 1400 to 1380"; no secret, no newline; owned */
	const char *how; /* how it is applied: a clause that goes behind "; "; static */
};

/* All changes. All zero is no change; conf_changes_deinit() frees it. */
struct conf_changes {
	struct conf_change items[KEYS_N]; /* in the order of the table of keys */
	size_t n_items;
	uint32_t keys;                                           /* bit `key` for each item */
	enum conf_effect effect;                                 /* the strongest of all items */
	struct conf_prefixes addresses_added, addresses_removed; /* host bits kept */
	struct conf_prefixes allowed_ips_added, allowed_ips_removed; /* ascending, no repetition */
	/* Of the files' AllowedIPs, for which there are routes: the same, unless `wg` has changed
	 * what is accepted. */
	struct conf_prefixes routed_added, routed_removed;
};

/*!
 * Compares two states of a link, also with 130,000 AllowedIPs each.
 * \param old  what runs; its secrets must still be there. Private keys are compared by their
 *             public halves, so conf_link.public_key must be filled in
 * \param new  what shall run
 * \param ret  the changes, for conf_changes_deinit(); empty after an error
 * \return 0 or -ENOMEM
 */
must_check int conf_diff(const struct conf_link *old, const struct conf_link *new,
			 struct conf_changes *ret);

/*! Frees what the changes own; safe twice. */
void conf_changes_deinit(struct conf_changes *changes);

/*! Prints one line for each change, "TEXT; HOW", or one that says that nothing changes. */
void conf_changes_print(const struct conf_changes *changes, FILE *stream);

/*!
 * How a change of a key is applied; known before there is one, for `vpnd check` and manual pages.
 * \param effect  set to what it takes
 * \param how     set to the clause that conf_change.how would be
 * \return false for PrivateKeyFile and PresharedKeyFile, which never change themselves
 */
bool conf_diff_effect(enum keys_id key, enum conf_effect *effect, const char **how);

#endif
