/*
 * One line of a "set=1" request; see uapi_draft.h. Each key has a row in a table: where it may
 * stand, and who reads its value.
 */
#include "daemon/ctl/uapi_draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

/* Longer than any value that is not refused anyway. */
#define VALUE_MAX 128
/* Characters of a key in hexadecimal. */
#define HEX_LEN ((size_t)2 * KEY_LEN)

static int wrong(struct uapi_draft *draft, const char *reason)
{
	draft->reason = reason;
	return -EINVAL;
}

static bool is_true(const char *value)
{
	return strcmp(value, "true") == 0;
}

/* Takes constant time for text of the right length. Secrets are read where they lie. */
static int read_key(struct uapi_draft *draft, const char *value, size_t len, struct key *ret)
{
	size_t n_bytes;

	if (len != HEX_LEN ||
	    sodium_hex2bin(ret->bytes, sizeof(ret->bytes), value, len, NULL, &n_bytes, NULL) != 0)
		return wrong(draft, "is not a key of 64 hexadecimal digits");
	return 0;
}

static struct uapi_draft_peer *find_peer(struct uapi_draft *draft, const struct key *key)
{
	for (size_t i = 0; i < UAPI_PEERS_MAX; i++) {
		if (draft->peers[i].is_live && key_equal(&draft->peers[i].key, key))
			return &draft->peers[i];
	}
	return NULL;
}

static void remove_peer(struct uapi_draft *draft, struct uapi_draft_peer *peer)
{
	uapi_allowed_clear(&draft->allowed, uapi_draft_index(draft, peer));
	sodium_memzero(peer, sizeof(*peer));
}

static struct uapi_draft_peer *create_peer(struct uapi_draft *draft, const struct key *key)
{
	for (size_t i = 0; i < UAPI_PEERS_MAX; i++) {
		if (!draft->peers[i].is_live) {
			draft->peers[i] = (struct uapi_draft_peer) { .is_live = true, .key = *key };
			return &draft->peers[i];
		}
	}
	return NULL;
}

/* Cleared by zeros, else made a proper scalar (RFC 7748 section 5), which `wg` shows, too. */
static int set_private_key(struct uapi_draft *draft, const char *value, size_t len)
{
	struct conf_link *conf = &draft->edit->conf;
	struct key *key = &conf->secrets->private_key;
	struct uapi_draft_peer *self;
	int r = read_key(draft, value, len, key);

	if (r < 0)
		return r;
	draft->edit->named.private_key = true;
	free(conf->private_key_file);
	conf->private_key_file = NULL;
	if (key_is_zero(key)) {
		conf->public_key = *key;
		return 0;
	}
	key->bytes[0] &= 248;
	key->bytes[KEY_LEN - 1] = (uint8_t)((key->bytes[KEY_LEN - 1] & 127) | 64);
	crypto_scalarmult_base(conf->public_key.bytes, key->bytes);
	/* A peer that is oneself cannot be. */
	self = find_peer(draft, &conf->public_key);
	if (self != NULL)
		remove_peer(draft, self);
	return 0;
}

static int set_listen_port(struct uapi_draft *draft, const char *value, size_t len)
{
	uint64_t number;

	(void)len;
	if (!parse_decimal(value, UINT16_MAX, &number))
		return wrong(draft, "is not a number from 0 (any port) to 65535");
	draft->edit->conf.listen_port = (uint16_t)number;
	draft->edit->named.listen_port = true;
	return 0;
}

static int set_fwmark(struct uapi_draft *draft, const char *value, size_t len)
{
	uint64_t number;

	(void)len;
	if (!parse_decimal(value, UINT32_MAX, &number))
		return wrong(draft, "is not a number from 0 (none) to 4294967295");
	draft->edit->conf.fwmark = (uint32_t)number;
	draft->edit->named.fwmark = true;
	return 0;
}

static int set_replace_peers(struct uapi_draft *draft, const char *value, size_t len)
{
	(void)len;
	if (!is_true(value))
		return wrong(draft, "is not \"true\"");
	for (size_t i = 0; i < UAPI_PEERS_MAX; i++) {
		if (draft->peers[i].is_live)
			remove_peer(draft, &draft->peers[i]);
	}
	return 0;
}

/* Begins a section. Our own key as a peer is no error: the section is passed over. */
static int begin_peer(struct uapi_draft *draft, const char *value, size_t len)
{
	const struct conf_link *conf = &draft->edit->conf;
	struct key key;
	int r = read_key(draft, value, len, &key);

	if (r < 0)
		return r;
	draft->in_peer = true;
	draft->is_created = false;
	draft->current = NULL;
	if (uapi_has_private_key(conf) && key_equal(&key, &conf->public_key))
		return 0;
	draft->current = find_peer(draft, &key);
	if (draft->current != NULL)
		return 0;
	draft->is_created = true;
	draft->current = create_peer(draft, &key);
	draft->reason = "would be one of many peers, but a link of vpnd has one";
	return draft->current != NULL ? 0 : -EUSERS;
}

static int set_update_only(struct uapi_draft *draft, const char *value, size_t len)
{
	(void)len;
	if (!is_true(value))
		return wrong(draft, "is not \"true\"");
	if (draft->current != NULL && draft->is_created) {
		remove_peer(draft, draft->current);
		draft->current = NULL;
	}
	return 0;
}

static int set_remove(struct uapi_draft *draft, const char *value, size_t len)
{
	(void)len;
	if (!is_true(value))
		return wrong(draft, "is not \"true\"");
	if (draft->current != NULL)
		remove_peer(draft, draft->current);
	draft->current = NULL;
	return 0;
}

static int set_preshared_key(struct uapi_draft *draft, const char *value, size_t len)
{
	struct uapi_draft_peer *peer = draft->current;
	int r = read_key(draft, value, len,
			 peer != NULL ? &peer->preshared_key : &draft->ignored_key);

	if (r == 0 && peer != NULL)
		peer->has_preshared_key = true;
	return r;
}

/* Names are for `wg` to resolve: what comes here is an address. */
static int set_endpoint(struct uapi_draft *draft, const char *value, size_t len)
{
	struct endpoint_spec endpoint;

	(void)len;
	if (!endpoint_spec_parse(value, &endpoint, &draft->reason))
		return -EINVAL;
	if (endpoint.literal.sa.sa_family == AF_UNSPEC)
		return wrong(draft, "has no numeric address, or an interface that does not exist");
	if (draft->current == NULL)
		return 0;
	draft->current->endpoint = endpoint;
	draft->current->has_endpoint = true;
	return 0;
}

static int set_keepalive(struct uapi_draft *draft, const char *value, size_t len)
{
	uint64_t number;

	(void)len;
	if (!parse_decimal(value, UINT16_MAX, &number))
		return wrong(draft, "is not a number of seconds from 0 (off) to 65535");
	if (draft->current == NULL)
		return 0;
	draft->current->keepalive = (uint16_t)number;
	draft->current->has_keepalive = true;
	return 0;
}

static int set_replace_allowed_ips(struct uapi_draft *draft, const char *value, size_t len)
{
	(void)len;
	if (!is_true(value))
		return wrong(draft, "is not \"true\"");
	if (draft->current != NULL)
		uapi_allowed_clear(&draft->allowed, uapi_draft_index(draft, draft->current));
	return 0;
}

/* A "-" in front takes the prefix away; the length must be there. */
static int set_allowed_ip(struct uapi_draft *draft, const char *value, size_t len)
{
	bool is_removal = value[0] == '-';
	struct prefix prefix;

	(void)len;
	if (strchr(value, '/') == NULL)
		return wrong(draft, "has no \"/length\" behind the address");
	if (!prefix_parse(value + (is_removal ? 1 : 0), &prefix, &draft->reason))
		return -EINVAL;
	if (draft->current == NULL)
		return 0;
	return uapi_allowed_claim(&draft->allowed, uapi_draft_index(draft, draft->current), &prefix,
				  is_removal);
}

static int set_protocol_version(struct uapi_draft *draft, const char *value, size_t len)
{
	(void)len;
	return strcmp(value, "1") == 0 ? 0 : wrong(draft, "is not 1, the only one there is");
}

enum place { IN_DEVICE = 1, IN_PEER = 2 };

static const struct row {
	const char *name;
	unsigned int places; /* of enum place */
	bool is_secret;      /* read where it lies, and not NUL-terminated */
	int (*read)(struct uapi_draft *draft, const char *value, size_t len);
} rows[] = {
	{ "private_key", IN_DEVICE, true, set_private_key },
	{ "listen_port", IN_DEVICE, false, set_listen_port },
	{ "fwmark", IN_DEVICE, false, set_fwmark },
	{ "replace_peers", IN_DEVICE, false, set_replace_peers },
	{ "public_key", IN_DEVICE | IN_PEER, false, begin_peer },
	{ "remove", IN_PEER, false, set_remove },
	{ "update_only", IN_PEER, false, set_update_only },
	{ "preshared_key", IN_PEER, true, set_preshared_key },
	{ "endpoint", IN_PEER, false, set_endpoint },
	{ "persistent_keepalive_interval", IN_PEER, false, set_keepalive },
	{ "replace_allowed_ips", IN_PEER, false, set_replace_allowed_ips },
	{ "allowed_ip", IN_PEER, false, set_allowed_ip },
	{ "protocol_version", IN_PEER, false, set_protocol_version },
};

static const struct row *find_row(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	}
	return NULL;
}

static int read_value(struct uapi_draft *draft, const struct row *row, const char *value,
		      size_t len)
{
	char text[VALUE_MAX];

	if (row->is_secret)
		return row->read(draft, value, len);
	if (len >= sizeof(text) || memchr(value, '\0', len) != NULL)
		return wrong(draft, "has a value that is too long or has a NUL in it");
	memcpy(text, value, len);
	text[len] = '\0';
	return row->read(draft, text, len);
}

int uapi_draft_line(struct uapi_draft *draft, const char *line, size_t len, size_t number)
{
	char *reason = draft->edit->reason;
	const char *equals = memchr(line, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - line) : len;
	const struct row *row = find_row(line, name_len);
	int r;

	/* The line itself is never shown: a key may have been pasted where it does not belong. */
	if (equals == NULL) {
		snprintf(reason, UAPI_REASON_MAX, "has no \"=\" in line %zu", number);
		return -EPROTO;
	}
	if (row == NULL) {
		snprintf(reason, UAPI_REASON_MAX, "has an unknown key in line %zu", number);
		return -EINVAL;
	}
	if ((row->places & (draft->in_peer ? IN_PEER : IN_DEVICE)) == 0) {
		snprintf(reason, UAPI_REASON_MAX, "has %s %s the first public_key, in line %zu",
			 row->name, draft->in_peer ? "behind" : "before", number);
		return -EINVAL;
	}
	draft->reason = "cannot be taken: memory is short";
	r = read_value(draft, row, equals + 1, len - name_len - 1);
	if (r < 0)
		snprintf(reason, UAPI_REASON_MAX, "is wrong in line %zu: %s %s", number, row->name,
			 draft->reason);
	return r;
}
