/* One parser for each kind of value; see values.h. */
#include "conf/values.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/keytext.h"
#include "common/parse.h"

#define NO_MEMORY "does not fit into memory"

#define LETTERS      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS       "0123456789"
#define NAME_MAX_LEN 255 /* of a file, and of what is named like one */

/* A number as it is mostly written: decimal, no "0x". */
static bool parse_decimal(const char *text, uint64_t max, uint64_t *ret)
{
	return strspn(text, DIGITS) == strlen(text) && parse_number(text, max, ret);
}

static bool is_off(const char *text)
{
	return strcasecmp(text, "off") == 0;
}

/* Replaces an owned string. */
static const char *set_string(char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return NO_MEMORY;
	free(*field);
	*field = copy;
	return NULL;
}

static const char *add_string(struct conf_strings *strings, const char *text)
{
	char **items = conf_grow(strings->items, strings->n, sizeof(*items));

	if (items == NULL)
		return NO_MEMORY;
	strings->items = items;
	items[strings->n] = strdup(text);
	if (items[strings->n] == NULL)
		return NO_MEMORY;
	strings->n++;
	return NULL;
}

const char *values_key(const char *text, size_t len, struct conf_link *link, void *field)
{
	(void)link;
	if (!keytext_decode(text, len, field))
		return "is not a key; a key has 44 characters of base64 and ends in \"=\"";
	return NULL;
}

const char *values_path(const char *text, size_t len, struct conf_link *link, void *field)
{
	struct key key;
	bool is_key = keytext_decode(text, len, &key);

	(void)link;
	sodium_memzero(&key, sizeof(key));
	/* The commonest mistake, and the name of a file would be printed when it is missing. */
	if (is_key)
		return "is a key, but must be the name of a file that holds one";
	return set_string(field, text);
}

const char *values_port(const char *text, size_t len, struct conf_link *link, void *field)
{
	uint64_t number;

	(void)len;
	(void)link;
	if (!parse_decimal(text, UINT16_MAX, &number))
		return "is not a number from 0 (any port) to 65535";
	*(uint16_t *)field = (uint16_t)number;
	return NULL;
}

const char *values_mark(const char *text, size_t len, struct conf_link *link, void *field)
{
	uint64_t number = 0;

	(void)len;
	(void)link;
	if (!is_off(text) && !parse_number(text, UINT32_MAX, &number))
		return "is not \"off\" or a number from 0 to 4294967295 (0xffffffff)";
	*(uint32_t *)field = (uint32_t)number;
	return NULL;
}

const char *values_prefix(const char *text, size_t len, struct conf_link *link, void *field)
{
	struct conf_prefixes *prefixes = field;
	struct prefix *items;
	struct prefix prefix;
	const char *reason;

	(void)len;
	(void)link;
	if (!prefix_parse(text, &prefix, &reason))
		return reason;
	items = conf_grow(prefixes->items, prefixes->n, sizeof(*items));
	if (items == NULL)
		return NO_MEMORY;
	prefixes->items = items;
	items[prefixes->n++] = prefix;
	return NULL;
}

const char *values_dns(const char *text, size_t len, struct conf_link *link, void *field)
{
	struct in6_addr addr;

	(void)link;
	if (inet_pton(AF_INET, text, &addr) != 1 && inet_pton(AF_INET6, text, &addr) != 1 &&
	    (len > HOST_NAME_LEN || strspn(text, LETTERS DIGITS "._-") != len))
		return "is not an IPv4 address, an IPv6 address or a search domain";
	return add_string(field, text);
}

const char *values_mtu(const char *text, size_t len, struct conf_link *link, void *field)
{
	uint64_t number;

	(void)len;
	(void)link;
	_Static_assert(CONF_MTU_MIN == 68 && CONF_MTU_MAX == 65475, "the text below");
	if (!parse_decimal(text, CONF_MTU_MAX, &number) || number < CONF_MTU_MIN)
		return "is not a number from 68 to 65475";
	*(unsigned int *)field = (unsigned int)number;
	return NULL;
}

const char *values_table(const char *text, size_t len, struct conf_link *link, void *field)
{
	static const char *const words[] = { "auto", "off" };
	static const enum conf_table_kind kinds[] = { CONF_TABLE_AUTO, CONF_TABLE_OFF };
	int word = parse_word(text, words, ARRAY_SIZE(words));
	uint64_t number;

	(void)field;
	if (word >= 0) {
		link->table_kind = kinds[word];
		return NULL;
	}
	if (parse_number(text, UINT32_MAX, &number) && number > 0) {
		link->table_kind = CONF_TABLE_ID;
		link->table = (uint32_t)number;
		return NULL;
	}
	if (len > NAME_MAX_LEN || strspn(text, DIGITS "-") > 0 ||
	    strspn(text, LETTERS DIGITS "._-") != len)
		return "is not \"auto\", \"off\", a number from 1 to 4294967295 or the name of a "
		       "routing table";
	link->table_kind = CONF_TABLE_NAME;
	return set_string(&link->table_name, text);
}

const char *values_hook(const char *text, size_t len, struct conf_link *link, void *field)
{
	(void)len;
	(void)link;
	return add_string(field, text);
}

const char *values_bool(const char *text, size_t len, struct conf_link *link, void *field)
{
	static const char *const words[] = { "false", "true" };
	int word = parse_word(text, words, ARRAY_SIZE(words));

	(void)len;
	(void)link;
	if (word < 0)
		return "is not \"true\" or \"false\"";
	*(bool *)field = word == 1;
	return NULL;
}

const char *values_mode(const char *text, size_t len, struct conf_link *link, void *field)
{
	static const char *const words[] = { "tun", "tap" };
	static const enum conf_mode modes[] = { CONF_MODE_TUN, CONF_MODE_TAP };
	int word = parse_word(text, words, ARRAY_SIZE(words));

	(void)len;
	(void)field;
	if (word < 0)
		return "is not \"tun\" (packets) or \"tap\" (Ethernet frames)";
	link->mode = modes[word];
	return NULL;
}

bool values_is_interface(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strspn(name, LETTERS DIGITS "_=+.-") == len &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

const char *values_interface(const char *text, size_t len, struct conf_link *link, void *field)
{
	(void)len;
	(void)link;
	if (!values_is_interface(text))
		return "is not the name of an interface: 1 to 15 letters, digits or \"_=+.-\"";
	return set_string(field, text);
}

const char *values_namespace(const char *text, size_t len, struct conf_link *link, void *field)
{
	(void)link;
	/* It becomes a file name under /run/netns, and must not lead out of there. */
	if (len > NAME_MAX_LEN || strchr(text, '/') != NULL || text[0] == '.' ||
	    strspn(text, LETTERS DIGITS "_.:@-") != len)
		return "is not the name of a network namespace as \"ip netns\" lists it";
	return set_string(field, text);
}

const char *values_ready(const char *text, size_t len, struct conf_link *link, void *field)
{
	static const char *const words[] = { "interface", "handshake" };
	static const enum conf_ready states[] = { CONF_READY_INTERFACE, CONF_READY_HANDSHAKE };
	int word = parse_word(text, words, ARRAY_SIZE(words));

	(void)len;
	(void)field;
	if (word < 0)
		return "is not \"interface\" or \"handshake\"";
	link->ready_when = states[word];
	return NULL;
}

const char *values_endpoint(const char *text, size_t len, struct conf_link *link, void *field)
{
	struct endpoint_spec *items;
	struct endpoint_spec spec;
	const char *reason;

	(void)len;
	(void)field;
	if (!endpoint_parse(text, &spec, &reason))
		return reason;
	items = conf_grow(link->endpoints, link->n_endpoints, sizeof(*items));
	if (items == NULL)
		return NO_MEMORY;
	link->endpoints = items;
	items[link->n_endpoints++] = spec;
	return NULL;
}

const char *values_keepalive(const char *text, size_t len, struct conf_link *link, void *field)
{
	uint64_t number = 0;

	(void)len;
	(void)link;
	if (!is_off(text) && !parse_decimal(text, UINT16_MAX, &number))
		return "is not \"off\" or a number of seconds from 0 to 65535";
	*(uint16_t *)field = (uint16_t)number;
	return NULL;
}

const char *values_cipher(const char *text, size_t len, struct conf_link *link, void *field)
{
	static const char *const words[] = { "auto", "chacha20-poly1305", "aes256-gcm", "aegis128l",
					     "aegis256" };
	static const enum conf_cipher ciphers[] = { CONF_CIPHER_AUTO, CONF_CIPHER_CHACHA20_POLY1305,
						    CONF_CIPHER_AES256_GCM, CONF_CIPHER_AEGIS128L,
						    CONF_CIPHER_AEGIS256 };
	int word = parse_word(text, words, ARRAY_SIZE(words));

	(void)len;
	(void)field;
	_Static_assert(ARRAY_SIZE(words) == ARRAY_SIZE(ciphers), "a word for each cipher");
	if (word < 0)
		return "is not one of auto, chacha20-poly1305, aes256-gcm, aegis128l and aegis256";
	link->cipher = ciphers[word];
	return NULL;
}
