/*
 * One parser for each kind of value in a link file.
 *
 * Each takes the text of one value (or of one entry of a list), stores it, and returns NULL; or
 * returns why it cannot: a fragment that continues a sentence after the key's name and says what
 * would be right, such as "is not a number from 0 to 65535". The text itself is never part of it,
 * because a secret may have been pasted into the wrong line.
 */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "conf/model.h"

/*!
 * The shape of all parsers below.
 * \param text   the value without surrounding white space, not empty; NUL-terminated, except for
 *               values_key(), which reads secrets where they lie
 * \param len    its length
 * \param link   where the value goes when it fills more than one member
 * \param field  the member that the table of keys names: its type stands beside each parser
 * \return NULL, or a static reason
 */
typedef const char *values_parser(const char *text, size_t len, struct conf_link *link,
				  void *field);

values_parser values_key;        /* struct key: 44 characters of base64 */
values_parser values_path;       /* char *: name of a file */
values_parser values_port;       /* uint16_t: 0 to 65535, or a service of UDP */
values_parser values_mark;       /* uint32_t: decimal, 0x hexadecimal, or "off" */
values_parser values_prefix;     /* struct conf_prefixes: one more; host bits kept */
values_parser values_dns;        /* struct conf_strings: one more address or search domain */
values_parser values_mtu;        /* unsigned int: CONF_MTU_MIN to CONF_MTU_MAX */
values_parser values_table;      /* conf_link: table_kind, table, table_name */
values_parser values_hook;       /* struct conf_strings: one more command */
values_parser values_bool;       /* bool: "true" or "false", nothing else, as in wg-quick */
values_parser values_yes_no;     /* bool: "yes" or "no"; "true" and "false" are understood, too */
values_parser values_mode;       /* conf_link: mode */
values_parser values_interface;  /* char *: name of an interface */
values_parser values_namespace;  /* char *: name of a network namespace */
values_parser values_masquerade; /* conf_link: masquerades_all, or one more of masquerade */
values_parser values_mss;        /* unsigned int: CONF_MSS_AUTO, CONF_MSS_NONE, or a number */
values_parser values_ready;      /* conf_link: ready_when */
values_parser values_endpoint;   /* conf_link: endpoints, one more */
values_parser values_keepalive;  /* uint16_t: seconds, or "off" */
values_parser values_cipher;     /* conf_link: cipher */

/*! Whether `name` may name an interface: 1 to 15 of [A-Za-z0-9_=+.-], but not "." or "..". */
must_check bool values_is_interface(const char *name);

/*! Whether an entry of DNS is the address of a server; if not, it is a search domain. */
must_check bool values_is_address(const char *text);

#endif
