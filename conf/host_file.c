/*
 * Reads the host file; see host_file.h.
 *
 * libconfig makes a tree of the text, from memory: it never sees a file. Its "@include" would
 * open files for anybody who may write one line, and no version can switch it off for texts, so
 * the "@" of each is replaced by a byte that libconfig takes for rubbish; where it then stops
 * tells whether that was in force or in a comment. Then the tree is compared with the table of
 * settings. After a mistake of syntax the tree holds what stood in front of it.
 */
#include "conf/host_file.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "conf/host_keys.h"
#include "conf/trusted_file.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define INCLUDE         "@include"
#define END             "*end-of-file*" /* a setting of ours behind the text */
#define MASK            '\x01' /* cannot stand in the text: control characters are refused */
#define NUMBER_DIGITS   10     /* as many ones fit into 31 bits */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_*"
#define NAME_SHOWN_MAX  32 /* longest unknown name that a message repeats */

struct reading {
	struct conf_host *host;
	struct diag *diag;
	bool is_cut; /* a mistake of syntax: the last setting may lack its value */
};

/* Quotes an unknown name for a message, or gives nothing when it is too long to repeat. libconfig
   lets names have letters, digits, "-", "_" and "*" only. */
static const char *quote_name(const char *name, char buf[static NAME_SHOWN_MAX + 4])
{
	buf[0] = '\0';
	if (strlen(name) <= NAME_SHOWN_MAX)
		snprintf(buf, NAME_SHOWN_MAX + 4, " \"%s\"", name);
	return buf;
}

/* "log, data and defaults": every group. */
static const char *list_groups(char *buf, size_t buf_size)
{
	const char *group;
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; (group = host_keys_group(i)) != NULL && len < buf_size; i++) {
		const char *separator = host_keys_group(i + 1) != NULL ? ", " : " and ";

		len += (size_t)snprintf(buf + len, buf_size - len, "%s%s", i == 0 ? "" : separator,
					group);
	}
	return buf;
}

static void report_unknown_group(struct reading *reading, const char *name, unsigned int line)
{
	enum host_keys_id id = host_keys_find(NULL, name);
	const char *nearest = host_keys_nearest_group(name);
	char quoted[NAME_SHOWN_MAX + 4];
	char known[128];

	quote_name(name, quoted);
	if (id != HOST_KEYS_NONE)
		diag_error(reading->diag, line, "%s belongs in a group: %s: { %s = ...; }", name,
			   host_keys_table[id].group, name);
	else if (nearest != NULL)
		diag_error(reading->diag, line, "unknown group%s; did you mean \"%s\"?", quoted,
			   nearest);
	else
		diag_error(reading->diag, line, "unknown group%s; a host file has %s", quoted,
			   list_groups(known, sizeof(known)));
}

/* "mtu, persistent_keepalive, ...": every setting of a group. */
static const char *list_settings(const char *group, char *buf, size_t buf_size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < HOST_KEYS_N && len < buf_size; i++) {
		if (strcmp(host_keys_table[i].group, group) == 0)
			len += (size_t)snprintf(buf + len, buf_size - len, "%s%s",
						len == 0 ? "" : ", ", host_keys_table[i].name);
	}
	return buf;
}

static void report_unknown_setting(struct reading *reading, const char *group, const char *name,
				   unsigned int line)
{
	enum host_keys_id elsewhere = host_keys_find(NULL, name);
	const char *nearest = host_keys_nearest(group, name);
	char quoted[NAME_SHOWN_MAX + 4];
	char known[256];

	quote_name(name, quoted);
	if (elsewhere != HOST_KEYS_NONE)
		diag_error(reading->diag, line, "%s belongs in the group %s, not in %s", name,
			   host_keys_table[elsewhere].group, group);
	else if (nearest != NULL)
		diag_error(reading->diag, line, "unknown setting%s in %s; did you mean \"%s\"?",
			   quoted, group, nearest);
	else
		diag_error(reading->diag, line, "unknown setting%s in %s; known there are %s",
			   quoted, group, list_settings(group, known, sizeof(known)));
}

/* "info", "debug", ...: the words that a setting takes. */
static void report_word(struct reading *reading, const struct host_keys_row *row, unsigned int line)
{
	char known[256];
	size_t len = 0;

	known[0] = '\0';
	for (size_t i = 0; i < row->words->n && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s\"%s\"",
					i == 0 ? "" : ", ", row->words->items[i].word);
	diag_error(reading->diag, line, "%s.%s is not one of %s, in quotation marks", row->group,
		   row->name, known);
}

/* Only decimal numbers: of a hexadecimal one libconfig keeps the lowest 32 bits and is silent. */
static bool take_number(const config_setting_t *setting, const struct host_keys_row *row,
			unsigned int *ret)
{
	int type = config_setting_type(setting);
	long long value;

	if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) ||
	    config_setting_get_format(setting) != CONFIG_FORMAT_DEFAULT)
		return false;
	value = config_setting_get_int64(setting);
	if ((value != 0 || !row->may_be_zero) && (value < row->min || value > row->max))
		return false;
	*ret = (unsigned int)value;
	return true;
}

static bool take_word(const config_setting_t *setting, const struct host_keys_row *row,
		      unsigned int *ret)
{
	return config_setting_type(setting) == CONFIG_TYPE_STRING &&
	       words_find(row->words, config_setting_get_string(setting), ret);
}

static bool take_switch(const config_setting_t *setting, unsigned int *ret)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return false;
	*ret = config_setting_get_bool(setting) != 0;
	return true;
}

/* Stores the value when it is one that the setting takes. */
static bool take_value(const config_setting_t *setting, const struct host_keys_row *row,
		       struct conf_host *host)
{
	unsigned int value = 0;
	bool ok = false;

	switch (row->type) {
	case HOST_KEYS_SWITCH:
		ok = take_switch(setting, &value);
		break;
	case HOST_KEYS_NUMBER:
		ok = take_number(setting, row, &value);
		break;
	case HOST_KEYS_WORD:
		ok = take_word(setting, row, &value);
		break;
	case HOST_KEYS_USER:
		return config_setting_type(setting) == CONFIG_TYPE_STRING &&
		       host_keys_set_user(row, host, config_setting_get_string(setting));
	}
	if (ok)
		host_keys_set(row, host, value);
	return ok;
}

static void read_setting(struct reading *reading, const char *group,
			 const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	unsigned int line = config_setting_source_line(setting);
	enum host_keys_id id = host_keys_find(group, name);
	const struct host_keys_row *row;

	if (strcmp(name, END) == 0) /* the group is not closed, which is reported by syntax */
		return;
	if (id == HOST_KEYS_NONE) {
		report_unknown_setting(reading, group, name, line);
		return;
	}
	row = &host_keys_table[id];
	if (reading->is_cut && config_setting_type(setting) == CONFIG_TYPE_NONE)
		return;
	if (take_value(setting, row, reading->host))
		return;
	if (row->type == HOST_KEYS_WORD)
		report_word(reading, row, line);
	else
		diag_error(reading->diag, line, "%s.%s is not %s", group, row->name, row->wants);
}

static void read_group(struct reading *reading, const config_setting_t *group)
{
	const char *name = config_setting_name(group);
	unsigned int line = config_setting_source_line(group);
	int type = config_setting_type(group);

	if (strcmp(name, END) == 0)
		return;
	if (!host_keys_is_group(name)) {
		report_unknown_group(reading, name, line);
		return;
	}
	if (reading->is_cut && type == CONFIG_TYPE_NONE)
		return;
	if (type != CONFIG_TYPE_GROUP) {
		diag_error(reading->diag, line, "%s is a group of settings: %s: { ... }", name,
			   name);
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++)
		read_setting(reading, name, config_setting_get_elem(group, (unsigned int)i));
}

/* Looks for what no text file has. libconfig would end the text at a NUL, and would take a file
   whose lines end in CR alone for one long comment. */
static bool check_bytes(const char *text, size_t len, struct diag *diag)
{
	unsigned int line = 1;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r' && i + 1 < len && text[i + 1] != '\n') {
			diag_error(diag, line,
				   "a carriage return stands inside the line; lines end in LF or "
				   "CR LF");
			return false;
		}
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			diag_error(diag, line,
				   "there is a control character (0x%02x); a host file is plain "
				   "text",
				   c);
			return false;
		}
		line += c == '\n';
	}
	return true;
}

/* libconfig 1.5 keeps the lowest 32 bits of a number, so that 4294968796 would be 1500. A number of
   ten digits or more becomes one that every version reads as the same and no setting takes. */
static void tame_numbers(char *text)
{
	size_t n_digits;

	for (char *c = text; *c != '\0'; c += n_digits > 0 ? n_digits : 1) {
		n_digits = strspn(c, "0123456789");
		if (n_digits < NUMBER_DIGITS ||
		    (c > text && strchr(NAME_CHARACTERS, c[-1]) != NULL))
			continue;
		memset(c, '0', n_digits - NUMBER_DIGITS);
		memset(c + n_digits - NUMBER_DIGITS, '1', NUMBER_DIGITS);
	}
}

/* The text as libconfig needs it: a NUL behind it; a line end behind the last line, without which
   a comment there is a mistake of syntax; no directive, and no number that it cannot hold. One
   setting more shows that no open comment swallows the end, which libconfig takes for good. */
static char *copy_text(const char *text, size_t len)
{
	char *copy = malloc(len + 1 + sizeof(END "=1"));

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	if (len > 0 && copy[len - 1] != '\n')
		copy[len++] = '\n';
	memcpy(copy + len, END "=1", sizeof(END "=1"));
	for (char *c = strstr(copy, INCLUDE); c != NULL; c = strstr(c, INCLUDE))
		*c = MASK;
	tame_numbers(copy);
	return copy;
}

/* Whether a line of the copy has a directive that was masked. */
static bool has_mask(const char *copy, unsigned int line)
{
	for (const char *c = copy; *c != '\0' && line > 0; c++) {
		if (*c == MASK && line == 1)
			return true;
		line -= *c == '\n';
	}
	return false;
}

/* The last line of the copy; what stands behind that is ours. */
static unsigned int last_line(const char *copy)
{
	unsigned int last = 0;

	for (const char *c = copy; *c != '\0'; c++)
		last += *c == '\n';
	return MAX(last, 1);
}

static void report_syntax(const config_t *config, const char *copy, struct diag *diag)
{
	const char *error = config_error_text(config);
	unsigned int line = (unsigned int)MAX(config_error_line(config), 1);
	const char *what = "the syntax is wrong here or just before; a setting is written "
			   "name = value; and words stand in quotation marks";

	line = MIN(line, last_line(copy));
	if (has_mask(copy, line))
		what = INCLUDE " is not allowed; all settings of the host stand in this one file";
	else if (error != NULL && strcmp(error, "duplicate setting name") == 0)
		what = "a name is given twice in its group; keep one of them";
	diag_error(diag, line, "%s (what follows is not checked yet)", what);
}

static void read_tree(struct conf_host *host, const char *copy, struct diag *diag)
{
	struct reading reading = { .host = host, .diag = diag };
	const config_setting_t *root;
	config_t config;

	config_init(&config);
	reading.is_cut = config_read_string(&config, copy) != CONFIG_TRUE;
	root = config_root_setting(&config);
	for (int i = 0; root != NULL && i < config_setting_length(root); i++)
		read_group(&reading, config_setting_get_elem(root, (unsigned int)i));
	if (reading.is_cut)
		report_syntax(&config, copy, diag);
	else if (config_lookup(&config, END) == NULL)
		diag_error(
			diag, last_line(copy),
			"the file ends inside a comment; one that opens with \"/*\" needs \"*/\"");
	config_destroy(&config);
}

void host_file_parse(const char *text, size_t len, struct conf_host *host, struct diag *diag)
{
	size_t skip = strlen(BYTE_ORDER_MARK);
	char *copy;

	if (len > HOST_FILE_MAX) {
		diag_error(diag, 0, "the file is larger than %d bytes", HOST_FILE_MAX);
		return;
	}
	if (len >= skip && memcmp(text, BYTE_ORDER_MARK, skip) == 0) {
		text += skip;
		len -= skip;
	}
	if (!check_bytes(text, len, diag))
		return;
	copy = copy_text(text, len);
	if (copy == NULL) {
		diag_error_code(diag, EXIT_SYSTEM, "there is no memory to read the file");
		return;
	}
	read_tree(host, copy, diag);
	free(copy);
}

void host_file_load(const char *path, struct conf_host *host, struct diag *diag)
{
	size_t len;
	char *text = trusted_file_read_public(path, diag, &len);

	if (text == NULL)
		return;
	host_file_parse(text, len, host, diag);
	secret_free(text);
}
