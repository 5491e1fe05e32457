/*
 * Reads a link file; see link_file.h.
 *
 * The way of a value: ini_source finds section, key and where the value lies; the table of keys
 * says which parser takes it and which member it fills; validate looks at the whole. A secret is
 * decoded where it lies in guarded memory; any other value is copied into one buffer to get a
 * NUL behind it, and the buffer is wiped afterwards, because people paste keys into wrong lines.
 */
#include "conf/link_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/grow.h"
#include "common/keytext.h"
#include "common/parse.h"
#include "common/secret.h"
#include "conf/ini_source.h"
#include "conf/keys.h"
#include "conf/paths.h"
#include "conf/rt_tables.h"
#include "conf/trusted_file.h"
#include "conf/validate.h"

/* Longest unknown name that a message repeats. No key of base64 is shorter. */
#define ECHO_MAX 24

struct reading {
	struct conf_link *link;
	struct diag *diag;
	struct validate_lines lines;
	bool skip_section;             /* its heading was refused */
	bool leaves_closed;            /* credentials that may not be opened here */
	char value[CONF_LINE_MAX + 1]; /* the one that is being parsed */
};

/* Quotes a name from the file for a message, or gives nothing where it could be a part of a key:
   one that was broken into two lines looks like "Key =" to the reader. */
static const char *quote_name(const struct ini_entry *entry, char buf[static ECHO_MAX + 4])
{
	size_t len = strlen(entry->key);
	bool empty = true;

	for (size_t i = 0; i < entry->len; i++)
		empty = empty && entry->value[i] == '=';
	buf[0] = '\0';
	if (len <= ECHO_MAX && !empty)
		snprintf(buf, ECHO_MAX + 4, "\"%s\" ", entry->key);
	return buf;
}

/* "PublicKey, PresharedKey, ...": every key of a section. */
static const char *list_keys(enum keys_section section, char *buf, size_t buf_size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < KEYS_N && len < buf_size; i++) {
		if (keys_table[i].section == section)
			len += (size_t)snprintf(buf + len, buf_size - len, "%s%s",
						len == 0 ? "" : ", ", keys_table[i].name);
	}
	return buf;
}

static void report_unknown_key(struct reading *reading, const struct ini_entry *entry,
			       enum keys_section section)
{
	const char *nearest = keys_nearest(section, entry->key);
	const char *name = keys_section_name(section);
	char quoted[ECHO_MAX + 4];

	for (size_t i = 0; i < KEYS_N; i++) {
		if (keys_find(keys_table[i].section, entry->key) == i) {
			diag_error(reading->diag, entry->line, "%s belongs in [%s], not in [%s]",
				   keys_table[i].name, keys_section_name(keys_table[i].section),
				   name);
			return;
		}
	}
	quote_name(entry, quoted);
	if (nearest != NULL)
		diag_error(reading->diag, entry->line,
			   "unknown key %sin [%s]; did you mean \"%s\"?", quoted, name, nearest);
	if (nearest == NULL) {
		char known[512];

		diag_error(reading->diag, entry->line, "unknown key %sin [%s]; known there are %s",
			   quoted, name, list_keys(section, known, sizeof(known)));
	}
}

static void on_section(void *ctx, const char *name, unsigned int line)
{
	struct reading *reading = ctx;
	enum keys_section section = name != NULL ? keys_section_find(name) : KEYS_N_SECTIONS;
	unsigned int *first;

	reading->skip_section = true;
	reading->lines.refused_heading =
		reading->lines.refused_heading || section == KEYS_N_SECTIONS;
	if (name == NULL)
		return;
	if (section == KEYS_N_SECTIONS) {
		const char *nearest = keys_section_nearest(name);

		if (nearest != NULL)
			diag_error(reading->diag, line,
				   "unknown section \"[%.*s]\"; did you mean \"[%s]\"?", ECHO_MAX,
				   name, nearest);
		else
			diag_error(reading->diag, line,
				   "unknown section; a link file has [Interface] and [Peer]");
		return;
	}
	first = &reading->lines.sections[section];
	if (*first != 0 && section == KEYS_PEER) {
		diag_error(
			reading->diag, line,
			"a second [Peer], the first is in line %u; one link has one peer, make a "
			"second file for this one",
			*first);
		return;
	}
	if (*first != 0) {
		diag_error(reading->diag, line,
			   "a second [%s], the first is in line %u; put all its keys there",
			   keys_section_name(section), *first);
		return;
	}
	*first = line;
	reading->skip_section = false;
}

/* Notes in which line an entry stands; the list of lines runs beside the list of values. */
static bool note_entry(struct reading *reading, enum keys_id id, unsigned int line)
{
	size_t n = reading->lines.keys[id].n_entries;
	unsigned int *lines = grow_list(reading->lines.keys[id].lines, n, sizeof(*lines));

	if (lines == NULL)
		return false;
	reading->lines.keys[id].lines = lines;
	lines[n] = line;
	return true;
}

/* Parses one value or one entry of a list. `entry_no` is 0 when there is only one. */
static bool take_value(struct reading *reading, enum keys_id id, const char *text, size_t len,
		       unsigned int line, unsigned int entry_no)
{
	const struct keys_row *row = &keys_table[id];
	const char *reason;

	if (row->max != 0 && reading->lines.keys[id].n_entries == row->max) {
		diag_error(reading->diag, line, "%s has more than %zu entries", row->name,
			   row->max);
		return false;
	}
	if (!note_entry(reading, id, line))
		reason = "does not fit into memory";
	else
		reason = row->parse(text, len, reading->link, keys_field(row, reading->link));
	if (reason == NULL) {
		reading->lines.keys[id].parsed = true;
		reading->lines.keys[id].n_entries++;
	} else if (entry_no == 0) {
		diag_error(reading->diag, line, "%s %s", row->name, reason);
	} else {
		diag_error(reading->diag, line, "%s: entry %u of the list %s", row->name, entry_no,
			   reason);
	}
	return true;
}

/* Removes all white space, as wg does before it looks at anything. */
static size_t squeeze(char *text)
{
	size_t len = 0;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c != ' ' && *c != '\t')
			text[len++] = *c;
	}
	text[len] = '\0';
	return len;
}

static void take_list(struct reading *reading, enum keys_id id, unsigned int line)
{
	bool words = (keys_table[id].flags & KEYS_WORDS) != 0;
	const char *separators = words ? ", \t" : ",";
	bool several = strpbrk(reading->value, separators) != NULL;
	char *rest = reading->value;
	unsigned int entry_no = 0;
	char *text;

	while ((text = strsep(&rest, separators)) != NULL) {
		size_t len = squeeze(text);

		if (words && len == 0)
			continue;
		entry_no++;
		if (len == 0)
			diag_error(reading->diag, line, "%s: entry %u of the list is empty",
				   keys_table[id].name, entry_no);
		else if (!take_value(reading, id, text, len, line, several ? entry_no : 0))
			return;
	}
}

/* Whether the value holds what no value can: terminal escapes and their like. */
static bool has_control(const struct ini_entry *entry)
{
	for (size_t i = 0; i < entry->len; i++) {
		unsigned char c = (unsigned char)entry->value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* A value that is there but empty. */
static void take_nothing(struct reading *reading, enum keys_id id, unsigned int line)
{
	const struct keys_row *row = &keys_table[id];

	if ((row->flags & KEYS_EMPTY) == 0)
		diag_error(reading->diag, line, "%s has no value behind its \"=\"", row->name);
}

static void take_entry(struct reading *reading, enum keys_id id, const struct ini_entry *entry)
{
	const struct keys_row *row = &keys_table[id];

	if (entry->len == 0) {
		take_nothing(reading, id, entry->line);
		return;
	}
	if (has_control(entry)) {
		diag_error(reading->diag, entry->line,
			   "%s has control characters in its value; a link file is plain text",
			   row->name);
		return;
	}
	if ((row->flags & KEYS_SECRET) != 0) {
		take_value(reading, id, entry->value, entry->len, entry->line, 0);
		return;
	}
	memcpy(reading->value, entry->value, entry->len);
	reading->value[entry->len] = '\0';
	if ((row->flags & (KEYS_LIST | KEYS_WORDS)) != 0)
		take_list(reading, id, entry->line);
	else
		take_value(reading, id, reading->value, entry->len, entry->line, 0);
	sodium_memzero(reading->value, entry->len);
}

static void on_entry(void *ctx, const struct ini_entry *entry)
{
	struct reading *reading = ctx;
	enum keys_section section = keys_section_find(entry->section);
	enum keys_id id;

	if (entry->section[0] == '\0') {
		char quoted[ECHO_MAX + 4];

		diag_error(
			reading->diag, entry->line,
			"the key %sstands before any section; put it below [Interface] or [Peer]",
			quote_name(entry, quoted));
		return;
	}
	if (reading->skip_section || section == KEYS_N_SECTIONS)
		return;
	id = keys_find(section, entry->key);
	if (id == KEYS_NONE) {
		report_unknown_key(reading, entry, section);
		return;
	}
	if (reading->lines.keys[id].line == 0) {
		reading->lines.keys[id].line = entry->line;
	} else if ((keys_table[id].flags & KEYS_REPEATABLE) == 0) {
		diag_error(reading->diag, entry->line,
			   "%s is given twice, first in line %u; keep one of them",
			   keys_table[id].name, reading->lines.keys[id].line);
		return;
	}
	take_entry(reading, id, entry);
}

static void read_text(struct reading *reading, const char *text, size_t len)
{
	static const struct ini_events events = { on_section, on_entry, keys_is_verbatim };

	ini_source_read(text, len, &events, reading, reading->diag);
	reading->lines.has_private_key = reading->lines.keys[KEYS_PRIVATE_KEY].parsed;
	reading->link->given.mtu = reading->lines.keys[KEYS_MTU].parsed;
	reading->link->given.persistent_keepalive =
		reading->lines.keys[KEYS_PERSISTENT_KEEPALIVE].parsed;
	reading->link->given.cipher = reading->lines.keys[KEYS_CIPHER].parsed;
}

static struct reading *reading_new(struct conf_link *link, struct diag *diag)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading == NULL) {
		diag_error_code(diag, EXIT_SYSTEM, "there is no memory to read the file");
		return NULL;
	}
	reading->link = link;
	reading->diag = diag;
	return reading;
}

static void reading_free(struct reading *reading)
{
	for (size_t i = 0; i < KEYS_N; i++)
		free(reading->lines.keys[i].lines);
	free(reading);
}

void link_file_parse(const char *text, size_t len, struct conf_link *link, struct diag *diag)
{
	struct reading *reading = reading_new(link, diag);

	if (reading == NULL)
		return;
	read_text(reading, text, len);
	validate_link(link, &reading->lines, diag);
	reading_free(reading);
}

/* What stands before the name of a credential, in place of a path. */
#define CREDENTIAL "credential:"

/* Two parts with a slash between them; returns what is wrong with them, or NULL. */
static const char *join(const char *dir, const char *name, char ret[static PATH_MAX])
{
	int len = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

	return len >= 0 && len < PATH_MAX ? NULL : "is too long for a path";
}

static const char no_credentials[] = "is a credential, and there are none here: only the service "
				     "gets them, by LoadCredential=NAME:PATH in its unit";

/* systemd.exec(5), LoadCredential=: a file in a directory that only the service can see. */
static const char *credential_path(const char *name, char ret[static PATH_MAX])
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here ever changes the environment then */
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return "names no credential: " CREDENTIAL "NAME has a name without slashes";
	if (dir == NULL)
		return no_credentials;
	return join(dir, name, ret);
}

/* Where a key file is: a relative name starts at the link file's directory. */
static const char *key_file_path(const char *link_path, const char *name, char ret[static PATH_MAX])
{
	char copy[PATH_MAX];

	if (strncmp(name, CREDENTIAL, strlen(CREDENTIAL)) == 0)
		return credential_path(name + strlen(CREDENTIAL), ret);
	if (name[0] == '/')
		return join("", name + 1, ret);
	if (strlen(link_path) >= sizeof(copy))
		return "is too long for a path";
	memcpy(copy, link_path, strlen(link_path) + 1);
	return join(dirname(copy), name, ret);
}

/* A credential that this process may not open. */
static bool is_closed_credential(const char *path)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here ever changes the environment then */
	const char *told = getenv("CREDENTIALS_DIRECTORY");
	const char *dir = told ? told : "/run/credentials";
	size_t len = strlen(dir);

	return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/' &&
	       access(path, R_OK) < 0 && errno == EACCES;
}

/* One key and at most one line end. */
static bool decode_key_file(const char *text, size_t len, struct key *ret)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	return keytext_decode(text, len, ret);
}

/* Reads the key that a file holds. What is wrong with the file is said with the line that names
   it, but without its name: that could be a key in the wrong place. */
static bool load_key_file(struct reading *reading, const char *link_path, enum keys_id id,
			  const char *name, struct key *ret)
{
	unsigned int line = reading->lines.keys[id].line;
	struct diag found = DIAG_NULL(link_path);
	const char *reason;
	char path[PATH_MAX];
	size_t len = 0;
	char *text;
	bool ok;

	reason = key_file_path(link_path, name, path);
	if (reason == no_credentials && reading->leaves_closed)
		return false;
	if (reason != NULL) {
		diag_error(reading->diag, line, "%s %s", keys_table[id].name, reason);
		return false;
	}
	if (reading->leaves_closed && is_closed_credential(path))
		return false;
	text = trusted_file_read_secret(path, &found, &len);
	for (size_t i = 0; i < found.n_items; i++)
		diag_error_code_at(reading->diag, found.code, line, "%s: %s", keys_table[id].name,
				   found.items[i].text);
	diag_deinit(&found);
	if (text == NULL)
		return false;
	ok = decode_key_file(text, len, ret);
	secret_free(text);
	if (!ok)
		diag_error(reading->diag, line,
			   "%s: the file must hold one key of 44 characters and nothing else",
			   keys_table[id].name);
	return ok;
}

static void load_key_files(struct reading *reading, const char *path)
{
	struct conf_link *link = reading->link;

	if (link->private_key_file != NULL && reading->lines.keys[KEYS_PRIVATE_KEY].line == 0)
		reading->lines.has_private_key =
			load_key_file(reading, path, KEYS_PRIVATE_KEY_FILE, link->private_key_file,
				      &link->secrets->private_key);
	if (link->preshared_key_file != NULL && reading->lines.keys[KEYS_PRESHARED_KEY].line == 0)
		load_key_file(reading, path, KEYS_PRESHARED_KEY_FILE, link->preshared_key_file,
			      &link->secrets->preshared_key);
}

/* Turns the name of a routing table into its number. */
static void find_table(struct reading *reading)
{
	struct conf_link *link = reading->link;

	if (link->table_kind == CONF_TABLE_NAME &&
	    !rt_tables_find("", link->table_name, &link->table))
		diag_error(reading->diag, reading->lines.keys[KEYS_TABLE].line,
			   "Table is a name that no routing table of this host has; add \"NUMBER "
			   "NAME\" to /etc/iproute2/rt_tables, or give the number here");
}

static void load(const char *path, struct conf_link *link, bool leaves_closed, struct diag *diag)
{
	struct reading *reading;
	const char *reason;
	size_t len = 0;
	char *text;

	if (!paths_link_name(path, link->name, &reason))
		diag_error(diag, 0, "%s", reason);
	text = trusted_file_read_secret(path, diag, &len);
	if (text == NULL)
		return;
	reading = reading_new(link, diag);
	if (reading != NULL) {
		reading->leaves_closed = leaves_closed;
		read_text(reading, text, len);
		load_key_files(reading, path);
		find_table(reading);
		validate_link(link, &reading->lines, diag);
		reading_free(reading);
	}
	secret_free(text);
}

void link_file_load(const char *path, struct conf_link *link, struct diag *diag)
{
	load(path, link, false, diag);
}

void link_file_check(const char *path, struct conf_link *link, struct diag *diag)
{
	load(path, link, true, diag);
}
