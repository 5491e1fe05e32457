/* Configurations as bytes; see pack.h. */
#include "conf/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"

/* Says that these are such bytes; to be changed with the table. */
#define MAGIC 0x76706e31U

enum kind {
	PLAIN,  /* bytes that may have any value */
	NUMBER, /* 4 bytes, 0 to max */
	SWITCH, /* bool */
	NAME,   /* IFNAMSIZ characters with a NUL */
	TEXT,   /* char *, or NULL */
	TEXTS,  /* conf_strings of up to max */
	WORDS,  /* the same; no text has a character below 0x21, as lines of other files need it */
	PREFIXES,  /* conf_prefixes of up to max */
	ENDPOINTS, /* endpoints and n_endpoints, up to max */
};

struct row {
	enum kind kind;
	size_t offset;
	size_t size;
	uint64_t max;
};

#define ROW(kind, member, max)                                                                     \
	{                                                                                          \
		kind, offsetof(struct conf_link, member),                                          \
			sizeof(((struct conf_link *)NULL)->member), max                            \
	}
/* Of a pointer nothing goes over but what is behind it. */
#define POINTER(kind, member, max)                                                                 \
	{                                                                                          \
		kind, offsetof(struct conf_link, member), 0, max                                   \
	}
#define ENUM(member, last) ROW(NUMBER, member, last)

/* No file can say more: every entry takes some characters of it. */
#define PREFIXES_MAX (CONF_FILE_MAX / 4)

static const struct row rows[] = {
	ROW(NAME, name, 0),
	ROW(PLAIN, public_key, 0),
	POINTER(TEXT, private_key_file, 0),
	ROW(PLAIN, listen_port, 0),
	ROW(PLAIN, fwmark, 0),
	ROW(PREFIXES, addresses, CONF_ADDRESSES_MAX),
	ROW(WORDS, dns, CONF_DNS_MAX),
	ROW(NUMBER, mtu, CONF_MTU_MAX),
	ENUM(table_kind, CONF_TABLE_NAME),
	ROW(PLAIN, table, 0),
	POINTER(TEXT, table_name, 0),
	ROW(TEXTS, hooks[CONF_PRE_UP], CONF_HOOKS_MAX),
	ROW(TEXTS, hooks[CONF_POST_UP], CONF_HOOKS_MAX),
	ROW(TEXTS, hooks[CONF_PRE_DOWN], CONF_HOOKS_MAX),
	ROW(TEXTS, hooks[CONF_POST_DOWN], CONF_HOOKS_MAX),
	ROW(SWITCH, save_config, 0),
	ENUM(mode, CONF_MODE_TAP),
	POINTER(TEXT, bridge, 0),
	ROW(SWITCH, bridge_create, 0),
	POINTER(TEXT, namespace, 0),
	ROW(SWITCH, forward, 0),
	ROW(SWITCH, masquerades_all, 0),
	ROW(PREFIXES, masquerade, CONF_MASQUERADE_MAX),
	ROW(NUMBER, mss_clamp, CONF_MSS_MAX),
	ENUM(ready_when, CONF_READY_HANDSHAKE),
	ROW(SWITCH, is_bare, 0),
	ROW(PLAIN, peer_key, 0),
	POINTER(TEXT, preshared_key_file, 0),
	ROW(PREFIXES, allowed_ips, PREFIXES_MAX),
	ROW(PREFIXES, wg_allowed_ips, PREFIXES_MAX),
	ROW(SWITCH, has_wg_allowed_ips, 0),
	POINTER(ENDPOINTS, endpoints, CONF_ENDPOINTS_MAX),
	ROW(PLAIN, persistent_keepalive, 0),
	ENUM(cipher, CONF_CIPHER_AEGIS256),
	ROW(SWITCH, given.mtu, 0),
	ROW(SWITCH, given.persistent_keepalive, 0),
	ROW(SWITCH, given.cipher, 0),
};

static void cover(unsigned char *map, size_t offset, size_t size)
{
	for (size_t i = 0; i < size; i++)
		map[offset + i]++;
}

/* What a row is the only one to carry. ENDPOINTS are two members. */
void pack_cover(unsigned char map[static sizeof(struct conf_link)])
{
	memset(map, 0, sizeof(struct conf_link));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cover(map, rows[i].offset, rows[i].size > 0 ? rows[i].size : sizeof(void *));
	cover(map, offsetof(struct conf_link, n_endpoints), sizeof(size_t));
}

/* --- writing ------------------------------------------------------------------------------- */

/* Bytes that grow. */
struct writer {
	char *bytes; /* NULL: they are only counted */
	size_t len;
};

static void put(struct writer *writer, const void *bytes, size_t len)
{
	if (writer->bytes && len > 0)
		memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

static void put_count(struct writer *writer, size_t n)
{
	uint32_t count = (uint32_t)n;

	put(writer, &count, sizeof(count));
}

/* With its NUL; NULL has the length 0. */
static void put_text(struct writer *writer, const char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;

	put_count(writer, len);
	put(writer, text, len);
}

static void put_row(struct writer *writer, const struct conf_link *link, const struct row *row)
{
	const void *at = (const char *)link + row->offset;
	const struct conf_strings *texts = at;
	const struct conf_prefixes *prefixes = at;

	switch (row->kind) {
	case PLAIN:
	case NUMBER:
	case SWITCH:
	case NAME:
		put(writer, at, row->size);
		break;
	case TEXT:
		put_text(writer, *(char *const *)at);
		break;
	case TEXTS:
	case WORDS:
		put_count(writer, texts->n);
		for (size_t i = 0; i < texts->n; i++)
			put_text(writer, texts->items[i]);
		break;
	case PREFIXES:
		put_count(writer, prefixes->n);
		put(writer, prefixes->items, prefixes->n * sizeof(*prefixes->items));
		break;
	case ENDPOINTS:
		put_count(writer, link->n_endpoints);
		put(writer, link->endpoints, link->n_endpoints * sizeof(*link->endpoints));
		break;
	}
}

static void put_link(struct writer *writer, const struct conf_link *link)
{
	const uint32_t magic = MAGIC;

	put(writer, &magic, sizeof(magic));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put_row(writer, link, &rows[i]);
}

int pack_link(const struct conf_link *link, char **ret, size_t *ret_len)
{
	struct writer writer = { .bytes = NULL };

	put_link(&writer, link);
	writer.bytes = malloc(writer.len);
	if (!writer.bytes)
		return -ENOMEM;
	writer.len = 0;
	put_link(&writer, link);
	*ret = writer.bytes;
	*ret_len = writer.len;
	return 0;
}

/* --- reading ------------------------------------------------------------------------------- */

/* What is left to be read. */
struct reader {
	const char *at;
	size_t left;
	int error; /* the first one: nothing more is read then */
};

static bool fail(struct reader *reader, int error)
{
	if (reader->error == 0)
		reader->error = error;
	return false;
}

static bool get(struct reader *reader, void *ret, size_t len)
{
	if (reader->error != 0 || len > reader->left)
		return fail(reader, -EBADMSG);
	if (len > 0)
		memcpy(ret, reader->at, len);
	reader->at += len;
	reader->left -= len;
	return true;
}

/* A number up to a limit. */
static bool get_number(struct reader *reader, uint64_t max, uint32_t *ret)
{
	*ret = 0;
	return get(reader, ret, sizeof(*ret)) && (*ret <= max || fail(reader, -EBADMSG));
}

static bool get_text(struct reader *reader, char **ret)
{
	uint32_t len;
	char *text;

	if (!get_number(reader, CONF_LINE_MAX, &len))
		return false;
	if (len == 0)
		return true;
	text = malloc(len);
	if (!text)
		return fail(reader, -ENOMEM);
	if (!get(reader, text, len) || memchr(text, '\0', len) != text + len - 1) {
		free(text);
		return fail(reader, -EBADMSG);
	}
	*ret = text;
	return true;
}

/* \return NULL: there are none, or no memory */
static void *make_list(struct reader *reader, size_t n, size_t size)
{
	void *items = n > 0 ? grow_list_for(n, size) : NULL;

	if (n > 0 && !items)
		fail(reader, -ENOMEM);
	return items;
}

/* Items that lie behind each other; their number is checked against what is left before memory is
 * asked for. */
static bool get_list(struct reader *reader, uint64_t max, size_t size, void **ret, size_t *ret_n)
{
	uint32_t n;

	if (!get_number(reader, max, &n))
		return false;
	if (n > reader->left / size)
		return fail(reader, -EBADMSG);
	*ret = make_list(reader, n, size);
	if (n > 0 && !*ret)
		return false;
	*ret_n = n;
	return get(reader, *ret, n * size);
}

static bool get_texts(struct reader *reader, uint64_t max, struct conf_strings *ret)
{
	uint32_t n;

	if (!get_number(reader, max, &n))
		return false;
	ret->items = make_list(reader, n, sizeof(*ret->items));
	if (n > 0 && !ret->items)
		return false;
	/* What is counted is freed, so NULLs are never: a text that is not there is no text. */
	for (; ret->n < n; ret->n++) {
		if (!get_text(reader, &ret->items[ret->n]))
			return false;
		if (!ret->items[ret->n])
			return fail(reader, -EBADMSG);
	}
	return true;
}

static bool are_words(const struct conf_strings *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		for (const char *at = texts->items[i]; *at; at++) {
			if ((unsigned char)*at < 0x21)
				return false;
		}
	}
	return true;
}

static bool are_prefixes(const struct conf_prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->n; i++) {
		const struct prefix *prefix = &prefixes->items[i];

		if (!(prefix->family == AF_INET && prefix->len <= 32) &&
		    !(prefix->family == AF_INET6 && prefix->len <= 128))
			return false;
	}
	return true;
}

static bool get_prefixes(struct reader *reader, uint64_t max, struct conf_prefixes *ret)
{
	void *items = NULL;
	bool ok = get_list(reader, max, sizeof(*ret->items), &items, &ret->n);

	ret->items = items;
	return ok && (are_prefixes(ret) || fail(reader, -EBADMSG));
}

static bool is_endpoint(const struct endpoint_spec *spec)
{
	int family = spec->literal.sa.sa_family;

	return memchr(spec->host, '\0', sizeof(spec->host)) &&
	       (family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
}

static bool get_endpoints(struct reader *reader, uint64_t max, struct conf_link *ret)
{
	void *items = NULL;
	bool ok = get_list(reader, max, sizeof(*ret->endpoints), &items, &ret->n_endpoints);

	ret->endpoints = items;
	for (size_t i = 0; ok && i < ret->n_endpoints; i++)
		ok = is_endpoint(&ret->endpoints[i]) || fail(reader, -EBADMSG);
	return ok;
}

/* A bool that is neither 0 nor 1 must never be looked at as one. */
static bool get_switch(struct reader *reader, bool *ret)
{
	uint8_t byte;

	if (!get(reader, &byte, sizeof(byte)))
		return false;
	*ret = byte == 1;
	return byte <= 1 || fail(reader, -EBADMSG);
}

static bool get_name(struct reader *reader, char ret[static IFNAMSIZ])
{
	return get(reader, ret, IFNAMSIZ) &&
	       (memchr(ret, '\0', IFNAMSIZ) || fail(reader, -EBADMSG));
}

static bool get_limited(struct reader *reader, const struct row *row, void *ret)
{
	uint32_t number;

	if (!get_number(reader, row->max, &number))
		return false;
	memcpy(ret, &number, sizeof(number));
	return true;
}

static bool get_row(struct reader *reader, const struct row *row, struct conf_link *ret)
{
	void *at = (char *)ret + row->offset;

	switch (row->kind) {
	case PLAIN:
		return get(reader, at, row->size);
	case NUMBER:
		return get_limited(reader, row, at);
	case SWITCH:
		return get_switch(reader, at);
	case NAME:
		return get_name(reader, at);
	case TEXT:
		return get_text(reader, at);
	case TEXTS:
		return get_texts(reader, row->max, at);
	case WORDS:
		return get_texts(reader, row->max, at) && (are_words(at) || fail(reader, -EBADMSG));
	case PREFIXES:
		return get_prefixes(reader, row->max, at);
	case ENDPOINTS:
		return get_endpoints(reader, row->max, ret);
	}
	return fail(reader, -EBADMSG);
}

int pack_read_link(const void *bytes, size_t len, struct conf_link *ret)
{
	struct reader reader = { .at = bytes, .left = len };
	uint32_t magic = 0;

	_Static_assert(sizeof(enum conf_table_kind) == sizeof(uint32_t), "NUMBER");
	memset(ret, 0, sizeof(*ret));
	if (!get(&reader, &magic, sizeof(magic)) || magic != MAGIC)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && reader.error == 0; i++)
		(void)get_row(&reader, &rows[i], ret);
	if (reader.error == 0 && reader.left > 0)
		(void)fail(&reader, -EBADMSG);
	if (reader.error != 0)
		conf_link_deinit(ret);
	return reader.error;
}
