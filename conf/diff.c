/*
 * What changes between two states of a link; see diff.h.
 *
 * There is one row for each key, with how a change of it is applied and the function that finds
 * and describes the change. Most values are described by what they are when written out: two values
 * that are written alike are the same, so no sentence can say "from X to X".
 */
#include "conf/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytext.h"
#include "conf/prefixes.h"
#include "conf/words.h"

/* A list of prefixes in a sentence: all of it up to LIST_WHOLE, else the first LIST_HEAD. */
#define LIST_WHOLE 4
#define LIST_HEAD  3

_Static_assert(KEYS_N <= 32, "conf_changes.keys has a bit for each key");

struct row;

/* The values of one key that are compared. */
struct pair {
	const struct row *row;
	const char *name; /* of the key */
	const struct conf_link *old;
	const struct conf_link *new;
	struct conf_changes *changes;
};

/* Sets *ret to a sentence when the values differ; 0 or -ENOMEM. */
typedef int describer(const struct pair *pair, char **ret);

struct row {
	describer *describe; /* NULL: the key only names a file */
	const char *how;
	void (*write)(const struct conf_link *link, FILE *out); /* for describe_value() */
	enum conf_effect effect;
	enum conf_hook hook; /* for describe_hooks() */
};

static int out_of_memory(char **ret)
{
	*ret = NULL;
	return -ENOMEM;
}

#define FORMAT(ret, ...) (asprintf((ret), __VA_ARGS__) < 0 ? out_of_memory(ret) : 0)

/* A value in the words of the file; NULL when memory is short. */
static char *write_value(const struct row *row, const struct conf_link *link)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	row->write(link, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int describe_value(const struct pair *pair, char **ret)
{
	char *old = write_value(pair->row, pair->old);
	char *new = write_value(pair->row, pair->new);
	int r = 0;

	if (old == NULL || new == NULL)
		r = -ENOMEM;
	else if (strcmp(old, new) != 0)
		r = FORMAT(ret, "%s changes from %s to %s", pair->name, old, new);
	free(old);
	free(new);
	return r;
}

/* The public half tells which private key it is, and is what the far end needs now. */
static int describe_private_key(const struct pair *pair, char **ret)
{
	char text[KEYTEXT_LEN + 1];

	if (key_equal(&pair->old->public_key, &pair->new->public_key))
		return 0;
	if (key_is_zero(&pair->new->public_key))
		return FORMAT(ret, "%s is removed", pair->name);
	keytext_encode(&pair->new->public_key, text);
	return FORMAT(ret, "%s changes; the far end must have the public key %s", pair->name, text);
}

/* Not printed: somebody may have pasted a private key there. */
static int describe_peer_key(const struct pair *pair, char **ret)
{
	if (key_equal(&pair->old->peer_key, &pair->new->peer_key))
		return 0;
	return FORMAT(ret, "%s changes", pair->name);
}

static int describe_preshared_key(const struct pair *pair, char **ret)
{
	const struct key *old = &pair->old->secrets->preshared_key;
	const struct key *new = &pair->new->secrets->preshared_key;

	if (key_equal(old, new))
		return 0;
	if (key_is_zero(old))
		return FORMAT(ret, "%s is set", pair->name);
	return FORMAT(ret, "%s %s", pair->name, key_is_zero(new) ? "is removed" : "changes");
}

/* Not printed: a command may hold a password. */
static int describe_hooks(const struct pair *pair, char **ret)
{
	const struct conf_strings *old = &pair->old->hooks[pair->row->hook];
	const struct conf_strings *new = &pair->new->hooks[pair->row->hook];
	size_t same = 0;

	while (same < old->n && same < new->n &&strcmp(old->items[same], new->items[same]) == 0)
		same++;
	if (same == old->n && same == new->n)
		return 0;
	return FORMAT(ret, "%s changes, from %zu to %zu command%s", pair->name, old->n, new->n,
		      new->n == 1 ? "" : "s");
}

/* "10.0.0.0/8, fd00::/8", the longer list "10.0.0.0/8, 10.1.0.0/16, 10.2.0.0/16 and 7 more". */
static void write_prefixes(const struct conf_prefixes *list, FILE *out)
{
	size_t n_shown = list->n <= LIST_WHOLE ? list->n : LIST_HEAD;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < n_shown; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ", prefix_format(&list->items[i], text));
	if (n_shown < list->n)
		fprintf(out, " and %zu more", list->n - n_shown);
}

/* Every one: what is told by how it is written must not be abridged. */
static void write_all_prefixes(const struct conf_prefixes *list, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ", prefix_format(&list->items[i], text));
}

/* "AllowedIPs: added 1 (10.0.0.0/8), removed 2 (fd00::/8, fd01::/16)". */
static int describe_prefixes(const struct pair *pair, const char *of_what,
			     const struct conf_prefixes *added, const struct conf_prefixes *removed,
			     char **ret)
{
	const struct conf_prefixes *const lists[] = { added, removed };
	static const char *const verbs[] = { "added", "removed" };
	const char *separator = ": ";
	size_t size = 0;
	FILE *out;

	if (added->n == 0 && removed->n == 0)
		return 0;
	out = open_memstream(ret, &size);
	if (out == NULL)
		return -ENOMEM;
	fprintf(out, "%s%s", of_what, pair->name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i]->n == 0)
			continue;
		fprintf(out, "%s%s %zu (", separator, verbs[i], lists[i]->n);
		write_prefixes(lists[i], out);
		fputc(')', out);
		separator = ", ";
	}
	if (fclose(out) == 0)
		return 0;
	free(*ret);
	return out_of_memory(ret);
}

static int describe_addresses(const struct pair *pair, char **ret)
{
	struct conf_changes *changes = pair->changes;
	int r = prefixes_diff(&pair->old->addresses, &pair->new->addresses,
			      &changes->addresses_added, &changes->addresses_removed);

	if (r < 0)
		return r;
	return describe_prefixes(pair, "", &changes->addresses_added, &changes->addresses_removed,
				 ret);
}

static int describe_allowed_ips(const struct pair *pair, char **ret)
{
	struct conf_changes *changes = pair->changes;
	int r = prefixes_diff(conf_link_accepted(pair->old), conf_link_accepted(pair->new),
			      &changes->allowed_ips_added, &changes->allowed_ips_removed);

	if (r == 0)
		r = prefixes_diff(&pair->old->allowed_ips, &pair->new->allowed_ips,
				  &changes->routed_added, &changes->routed_removed);
	if (r == 0)
		r = describe_prefixes(pair, "", &changes->allowed_ips_added,
				      &changes->allowed_ips_removed, ret);
	/* The file follows what `wg` has set before. */
	if (r == 0 && *ret == NULL)
		r = describe_prefixes(pair, "routes of ", &changes->routed_added,
				      &changes->routed_removed, ret);
	return r;
}

/* A number of which 0 has a name. */
static void write_number(unsigned int number, const char *zero, const char *unit, FILE *out)
{
	if (number == 0)
		fputs(zero, out);
	else
		fprintf(out, "%u%s", number, unit);
}

static void write_string(const char *text, FILE *out)
{
	fputs(text != NULL ? text : "none", out);
}

static void write_listen_port(const struct conf_link *link, FILE *out)
{
	write_number(link->listen_port, "any", "", out);
}

static void write_fwmark(const struct conf_link *link, FILE *out)
{
	if (link->fwmark == 0)
		fputs("off", out);
	else
		fprintf(out, "0x%x", link->fwmark);
}

static void write_dns(const struct conf_link *link, FILE *out)
{
	if (link->dns.n == 0)
		write_string(NULL, out);
	for (size_t i = 0; i < link->dns.n; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ", link->dns.items[i]);
}

static void write_mtu(const struct conf_link *link, FILE *out)
{
	write_number(link->mtu, "what fits the path", "", out);
}

/* With the number behind a name: the host may give the name to another table. */
static void write_table(const struct conf_link *link, FILE *out)
{
	const char *word = words_name(&words_table, link->table_kind);

	if (word != NULL)
		fputs(word, out);
	else if (link->table_kind == CONF_TABLE_NAME)
		fprintf(out, "%s (%u)", link->table_name, link->table);
	else
		fprintf(out, "%u", link->table);
}

static void write_save_config(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_switch, link->save_config), out);
}

static void write_mode(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_mode, link->mode), out);
}

static void write_bridge(const struct conf_link *link, FILE *out)
{
	write_string(link->bridge, out);
}

static void write_bridge_create(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_yes_no, link->bridge_create), out);
}

static void write_namespace(const struct conf_link *link, FILE *out)
{
	write_string(link->namespace, out);
}

static void write_forward(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_yes_no, link->forward), out);
}

static void write_masquerade(const struct conf_link *link, FILE *out)
{
	if (link->masquerade.n == 0)
		fputs(words_name(&words_yes_no, link->masquerades_all), out);
	write_all_prefixes(&link->masquerade, out);
}

static void write_mss_clamp(const struct conf_link *link, FILE *out)
{
	const char *word = words_name(&words_mss, link->mss_clamp);

	if (word != NULL)
		fputs(word, out);
	else
		fprintf(out, "%u", link->mss_clamp);
}

static void write_ready_when(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_ready, link->ready_when), out);
}

static void write_endpoints(const struct conf_link *link, FILE *out)
{
	if (link->n_endpoints == 0)
		write_string(NULL, out);
	for (size_t i = 0; i < link->n_endpoints; i++) {
		const struct endpoint_spec *spec = &link->endpoints[i];
		bool is_ipv6 = strchr(spec->host, ':') != NULL;

		fprintf(out, "%s%s%s%s:%u", i == 0 ? "" : ", ", is_ipv6 ? "[" : "", spec->host,
			is_ipv6 ? "]" : "", spec->port);
	}
}

static void write_keepalive(const struct conf_link *link, FILE *out)
{
	write_number(link->persistent_keepalive, "off", " s", out);
}

static void write_cipher(const struct conf_link *link, FILE *out)
{
	fputs(words_name(&words_cipher, link->cipher), out);
}

/* Clauses of a row. */
#define VALUE(writer) .describe = describe_value, .write = (writer)
#define HOOK(which)   .describe = describe_hooks, .hook = (which)
#define LIVE          .effect = CONF_EFFECT_LIVE, .how = "applied at once"
#define SESSION       .effect = CONF_EFFECT_SESSION, .how = "needs a new session, which begins at once"
#define RESTART       .effect = CONF_EFFECT_RESTART, .how = "needs a restart of the link"
#define LATER(clause) .effect = CONF_EFFECT_LATER, .how = (clause)

/* clang-format off */
static const struct row rows[KEYS_N] = {
	[KEYS_PRIVATE_KEY] = { .describe = describe_private_key, SESSION },
	[KEYS_LISTEN_PORT] = { VALUE(write_listen_port), LIVE },
	[KEYS_FWMARK] = { VALUE(write_fwmark), LIVE },
	[KEYS_ADDRESS] = { .describe = describe_addresses, LIVE },
	[KEYS_DNS] = { VALUE(write_dns), LIVE },
	[KEYS_MTU] = { VALUE(write_mtu), LIVE },
	[KEYS_TABLE] = { VALUE(write_table), LIVE },
	[KEYS_PRE_UP] = { HOOK(CONF_PRE_UP), LATER("runs at the next start") },
	[KEYS_POST_UP] = { HOOK(CONF_POST_UP), LATER("runs at the next start") },
	[KEYS_PRE_DOWN] = { HOOK(CONF_PRE_DOWN), LATER("runs at the next stop") },
	[KEYS_POST_DOWN] = { HOOK(CONF_POST_DOWN), LATER("runs at the next stop") },
	[KEYS_SAVE_CONFIG] = { VALUE(write_save_config), LATER("has no effect") },
	[KEYS_MODE] = { VALUE(write_mode), RESTART },
	[KEYS_BRIDGE] = { VALUE(write_bridge), LIVE },
	[KEYS_BRIDGE_CREATE] = { VALUE(write_bridge_create), LIVE },
	[KEYS_NAMESPACE] = { VALUE(write_namespace), RESTART },
	[KEYS_FORWARD] = { VALUE(write_forward), LIVE },
	[KEYS_MASQUERADE] = { VALUE(write_masquerade), LIVE },
	[KEYS_MSS_CLAMP] = { VALUE(write_mss_clamp), LIVE },
	[KEYS_READY_WHEN] = { VALUE(write_ready_when), LATER("counts at the next start") },
	[KEYS_PUBLIC_KEY] = { .describe = describe_peer_key, SESSION },
	[KEYS_PRESHARED_KEY] = {
		.describe = describe_preshared_key,
		.effect = CONF_EFFECT_LIVE, .how = "used from the next handshake on",
	},
	[KEYS_ALLOWED_IPS] = { .describe = describe_allowed_ips, LIVE },
	[KEYS_ENDPOINT] = { VALUE(write_endpoints), LIVE },
	[KEYS_PERSISTENT_KEEPALIVE] = { VALUE(write_keepalive), LIVE },
	[KEYS_CIPHER] = { VALUE(write_cipher), SESSION },
};
/* clang-format on */

/* Compares the values of one key. */
static int compare_key(enum keys_id key, const struct pair *pair)
{
	struct conf_changes *changes = pair->changes;
	char *text = NULL;
	int r = pair->row->describe(pair, &text);

	if (r < 0 || text == NULL)
		return r;
	changes->items[changes->n_items++] =
		(struct conf_change) { key, pair->row->effect, text, pair->row->how };
	changes->keys |= UINT32_C(1) << key;
	changes->effect = MAX(changes->effect, pair->row->effect);
	return 0;
}

int conf_diff(const struct conf_link *old, const struct conf_link *new, struct conf_changes *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < KEYS_N; i++) {
		const struct pair pair = { &rows[i], keys_table[i].name, old, new, ret };
		int r = rows[i].describe != NULL ? compare_key((enum keys_id)i, &pair) : 0;

		if (r < 0) {
			conf_changes_deinit(ret);
			return r;
		}
	}
	return 0;
}

void conf_changes_deinit(struct conf_changes *changes)
{
	for (size_t i = 0; i < changes->n_items; i++)
		free(changes->items[i].text);
	free(changes->addresses_added.items);
	free(changes->addresses_removed.items);
	free(changes->allowed_ips_added.items);
	free(changes->allowed_ips_removed.items);
	free(changes->routed_added.items);
	free(changes->routed_removed.items);
	memset(changes, 0, sizeof(*changes));
}

void conf_changes_print(const struct conf_changes *changes, FILE *stream)
{
	if (changes->n_items == 0)
		fputs("nothing changes\n", stream);
	for (size_t i = 0; i < changes->n_items; i++)
		fprintf(stream, "%s; %s\n", changes->items[i].text, changes->items[i].how);
}

bool conf_diff_effect(enum keys_id key, enum conf_effect *effect, const char **how)
{
	*effect = rows[key].effect;
	*how = rows[key].how;
	return rows[key].describe != NULL;
}
