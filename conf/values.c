/* One parser for each kind of value; see values.h. */
#include "conf/values.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/grow.h"
#include "common/keytext.h"
#include "common/parse.h"
#include "conf/prefixes.h"
#include "conf/words.h"

#define NO_MEMORY "does not fit into memory"

#define LETTERS      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS       "0123456789"
#define NAME_MAX_LEN 255 /* of a file, and of what is named like one */
#define LABEL_LEN    63  /* of a domain name, RFC 1035 section 2.3.4 */

/* A port as `wg` takes it: a number, or a service of UDP as /etc/services calls it. */
static bool parse_port(const char *text, uint64_t *ret)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	struct sockaddr_in addr;

	if (parse_decimal(text, UINT16_MAX, ret))
		return true;
	if (strpbrk(text, LETTERS) == NULL || strspn(text, LETTERS DIGITS "_+.-") != strlen(text) ||
	    getaddrinfo(NULL, text, &hints, &found) != 0)
		return false;
	memcpy(&addr, found->ai_addr, sizeof(addr));
	freeaddrinfo(found);
	*ret = ntohs(addr.sin_port);
	return true;
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
	char **items = grow_list(strings->items, strings->n, sizeof(*items));

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
	if (!parse_port(text, &number))
		return "is not a number from 0 (any port) to 65535, nor a service of UDP in "
		       "/etc/services";
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
	struct prefix prefix;
	const char *reason;

	(void)len;
	(void)link;
	if (!prefix_parse(text, &prefix, &reason))
		return reason;
	return prefixes_append(field, &prefix) < 0 ? NO_MEMORY : NULL;
}

bool values_is_address(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1 || inet_pton(AF_INET6, text, &addr) == 1;
}

/* Whether the labels are neither empty nor too long (RFC 1035 section 2.3.4), and the last one is
   no number: then it is an address with a mistake in it. */
static bool is_domain(const char *text)
{
	size_t len = strlen(text);
	size_t label_len = 0;
	bool is_number = true;

	if (len > 0 && text[len - 1] == '.') /* the root, which may be written */
		len--;
	if (len > HOST_NAME_LEN || strspn(text, LETTERS DIGITS "._-") != strlen(text))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_dot = text[i] == '.';

		if (is_dot && label_len == 0)
			return false;
		is_number = is_dot || (is_number && strchr(DIGITS, text[i]) != NULL);
		label_len = is_dot ? 0 : label_len + 1;
		if (label_len > LABEL_LEN)
			return false;
	}
	return label_len > 0 && !is_number;
}

/* A domain that is only asked for at these servers, not searched: with systemd-resolved, whose
 * notation this is (resolvectl(1), "domain"). "~." is everything. */
static bool is_routing_domain(const char *text)
{
	return text[0] == '~' && (strcmp(text + 1, ".") == 0 || is_domain(text + 1));
}

const char *values_dns(const char *text, size_t len, struct conf_link *link, void *field)
{
	(void)len;
	(void)link;
	if (!values_is_address(text) && !is_domain(text) && !is_routing_domain(text))
		return "is not an IPv4 address, an IPv6 address, a search domain or a routing "
		       "domain (\"~example.com\", or \"~.\" for all)";
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
	unsigned int kind;
	uint64_t number;

	(void)field;
	if (words_find(&words_table, text, &kind)) {
		link->table_kind = (enum conf_table_kind)kind;
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
	unsigned int value;

	(void)len;
	(void)link;
	if (!words_find(&words_switch, text, &value))
		return "is not \"true\" or \"false\"";
	*(bool *)field = value != 0;
	return NULL;
}

const char *values_yes_no(const char *text, size_t len, struct conf_link *link, void *field)
{
	unsigned int value;

	(void)len;
	(void)link;
	if (!words_find(&words_yes_no, text, &value))
		return "is not \"yes\" or \"no\"";
	*(bool *)field = value != 0;
	return NULL;
}

const char *values_masquerade(const char *text, size_t len, struct conf_link *link, void *field)
{
	unsigned int value;

	if (words_find(&words_yes_no, text, &value)) {
		link->masquerades_all = value != 0;
		return NULL;
	}
	if (values_prefix(text, len, link, field) == NULL)
		return NULL;
	return "is not \"yes\", \"no\" or a prefix such as 10.0.0.0/24 or fd00::/64";
}

const char *values_mss(const char *text, size_t len, struct conf_link *link, void *field)
{
	unsigned int value;
	uint64_t number;

	(void)len;
	(void)link;
	_Static_assert(CONF_MSS_MIN == 536 && CONF_MSS_MAX == 65495, "the text below");
	if (words_find(&words_mss, text, &value))
		number = value;
	else if (!parse_decimal(text, CONF_MSS_MAX, &number) || number < CONF_MSS_MIN)
		return "is not \"auto\", \"no\" or a number from 536 to 65495";
	*(unsigned int *)field = (unsigned int)number;
	return NULL;
}

const char *values_mode(const char *text, size_t len, struct conf_link *link, void *field)
{
	unsigned int value;

	(void)len;
	(void)field;
	if (!words_find(&words_mode, text, &value))
		return "is not \"tun\" (packets) or \"tap\" (Ethernet frames)";
	link->mode = (enum conf_mode)value;
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
		return "is not the name of a network namespace as \"ip netns\" lists it, nor the "
		       "number of a process";
	return set_string(field, text);
}

const char *values_ready(const char *text, size_t len, struct conf_link *link, void *field)
{
	unsigned int value;

	(void)len;
	(void)field;
	if (!words_find(&words_ready, text, &value))
		return "is not \"interface\" or \"handshake\"";
	link->ready_when = (enum conf_ready)value;
	return NULL;
}

/* The port as a number, if it is the name of a service. \return text for free(), or NULL: it is not
 * one, or memory is short */
static char *replace_service(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;
	char *copy;

	if (colon == NULL || strpbrk(colon, LETTERS) == NULL || !parse_port(colon + 1, &port) ||
	    asprintf(&copy, "%.*s:%u", (int)(colon - text), text, (unsigned int)port) < 0)
		return NULL;
	return copy;
}

const char *values_endpoint(const char *text, size_t len, struct conf_link *link, void *field)
{
	struct endpoint_spec *items;
	struct endpoint_spec spec;
	char *numeric = replace_service(text);
	const char *reason;
	bool is_good = endpoint_spec_parse(numeric != NULL ? numeric : text, &spec, &reason);

	(void)len;
	(void)field;
	free(numeric);
	if (!is_good)
		return reason;
	items = grow_list(link->endpoints, link->n_endpoints, sizeof(*items));
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
	unsigned int value;

	(void)len;
	(void)field;
	if (!words_find(&words_cipher, text, &value))
		return "is not one of auto, chacha20-poly1305, aes256-gcm, aegis128l and aegis256";
	link->cipher = (enum conf_cipher)value;
	return NULL;
}
