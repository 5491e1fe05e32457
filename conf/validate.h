/*
 * The rules that no single value can break: what must be there, what excludes what.
 */
#ifndef CONF_VALIDATE_H
#define CONF_VALIDATE_H

#include <stdbool.h>

#include "common/diag.h"
#include "conf/keys.h"
#include "conf/model.h"

/* What the rules need beside the values: where in the file they stand. */
struct validate_lines {
	unsigned int sections[KEYS_N_SECTIONS]; /* line of the heading; 0: not there */
	bool refused_heading;                   /* so what is missing may have stood there */
	struct {
		unsigned int line;   /* where the key stands first; 0: nowhere */
		bool parsed;         /* at least one value of it was right */
		unsigned int *lines; /* repeatable keys: the line of each entry; owned */
		size_t n_entries;
	} keys[KEYS_N];
	bool has_private_key; /* from whichever source */
};

/*!
 * Derives the public key, masks AllowedIPs, drops what is there twice, and checks all rules.
 * \param link    as read; completed
 * \param lines  as read; follows what is dropped
 * \param diag    findings; a rule whose values are already known to be wrong says nothing
 */
void validate_link(struct conf_link *link, struct validate_lines *lines, struct diag *diag);

#endif
