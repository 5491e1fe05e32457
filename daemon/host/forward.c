/* Switching forwarding on and back; see forward.h for what the kernel asks. */
#include "daemon/host/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/host/netns.h"
#include "daemon/host/nl.h"

/* In every network namespace: include/net/flow.h. */
#define LOOPBACK_IFINDEX 1

/* Bytes of a path, with a NUL. */
#define PATH_LEN_MAX 80

/* --- lists --------------------------------------------------------------------------------------
 */

int forward_note(struct forward *list, unsigned int ifindex, bool is_ipv4, bool is_ra)
{
	size_t i = 0;

	while (i < list->n && list->items[i].ifindex != ifindex)
		i++;
	if (i == FORWARD_ITEMS_MAX)
		return -E2BIG;
	if (i == list->n)
		list->items[list->n++] = (struct forward_item) { .ifindex = ifindex };
	list->items[i].is_ipv4 |= is_ipv4;
	list->items[i].is_ra |= is_ra;
	return 0;
}

int forward_add(struct forward *list, const struct forward *other)
{
	int error = 0;

	list->is_ipv6 |= other->is_ipv6;
	for (size_t i = 0; i < other->n && error == 0; i++) {
		const struct forward_item *item = &other->items[i];

		error = forward_note(list, item->ifindex, item->is_ipv4, item->is_ra);
	}
	return error;
}

/* Drops the entries that say nothing. */
static void compact(struct forward *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].is_ipv4 || list->items[i].is_ra)
			list->items[n++] = list->items[i];
	}
	list->n = n;
}

void forward_subtract(struct forward *list, const struct forward *other)
{
	list->is_ipv6 = list->is_ipv6 && !other->is_ipv6;
	for (size_t i = 0; i < other->n; i++) {
		const struct forward_item *gone = &other->items[i];

		for (size_t j = 0; j < list->n; j++) {
			struct forward_item *item = &list->items[j];

			if (item->ifindex != gone->ifindex)
				continue;
			item->is_ipv4 = item->is_ipv4 && !gone->is_ipv4;
			item->is_ra = item->is_ra && !gone->is_ra;
		}
	}
	compact(list);
}

/* --- one digit of /proc/sys
 * ----------------------------------------------------------------------- */

/* A switch of one interface, of "all" or of "default"; the calls run in the namespace. */
struct digit {
	char path[PATH_LEN_MAX];
	char value;
};

static int read_digit(void *context)
{
	struct digit *digit = context;
	int fd = open(digit->path, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (read(fd, &digit->value, 1) != 1)
		error = -EIO;
	close(fd);
	return error;
}

static int write_digit(void *context)
{
	const struct digit *digit = context;
	int fd = open(digit->path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, &digit->value, 1) != 1)
		error = errno != 0 ? -errno : -EIO;
	close(fd);
	return error;
}

static struct digit digit_of(const char *version, const char *name, const char *key, char value)
{
	struct digit digit = { .value = value };

	snprintf(digit.path, sizeof(digit.path), "/proc/sys/net/%s/conf/%s/%s", version, name, key);
	return digit;
}

/* Writes one value where there is the other. */
static int change_digit(const char *namespace, struct digit digit, char from)
{
	const char to = digit.value;
	int error = netns_call(namespace, read_digit, &digit);

	if (error < 0 || digit.value != from)
		return error;
	digit.value = to;
	return netns_call(namespace, write_digit, &digit);
}

/* "eth0", or "default" for index 0; false: there is no such interface. */
static bool name_of(struct netlink *nl, unsigned int ifindex, char name[static IFNAMSIZ])
{
	struct nl_link link = { .name = "default" };

	if (ifindex != 0 && nl_link_get(nl, ifindex, &link) < 0)
		return false;
	memcpy(name, link.name, IFNAMSIZ);
	return true;
}

/* Whether an interface takes advertisements as long as it does not forward. */
static bool takes_ra(struct netlink *nl, const char *namespace, unsigned int ifindex)
{
	char name[IFNAMSIZ];
	struct digit digit;

	if (!name_of(nl, ifindex, name))
		return false;
	digit = digit_of("ipv6", name, "accept_ra", 0);
	return netns_call(namespace, read_digit, &digit) == 0 && digit.value == '1';
}

static int change_ra(struct netlink *nl, const char *namespace, unsigned int ifindex, char from,
		     char to)
{
	char name[IFNAMSIZ];
	int error;

	if (!name_of(nl, ifindex, name))
		return 0;
	error = change_digit(namespace, digit_of("ipv6", name, "accept_ra", to), from);
	/* It has lost IPv6, or a moment ago its name. */
	return error == -ENOENT ? 0 : error;
}

/* --- looking
 * ---------------------------------------------------------------------------------------- */

/* What the interfaces of one IP version say. */
struct survey {
	unsigned int own; /* the interface that is asked about */
	bool is_own_on;
	bool is_all_on;
	bool has_all; /* the kernel has that version */
	struct forward off;
	int error;
};

static void note_conf(const struct nl_conf *conf, void *context)
{
	struct survey *survey = context;

	if (conf->ifindex == NL_CONF_ALL) {
		survey->has_all = true;
		survey->is_all_on = conf->is_forwarding;
	} else if (conf->is_forwarding) {
		survey->is_own_on |= conf->ifindex == (int)survey->own;
	} else if (conf->ifindex != LOOPBACK_IFINDEX && survey->error == 0) {
		survey->error = forward_note(&survey->off,
					     conf->ifindex > 0 ? (unsigned int)conf->ifindex : 0,
					     true, false);
	}
}

static int look(struct netlink *nl, int family, struct survey *survey)
{
	int error = nl_conf_list(nl, family, note_conf, survey);

	/* The list may have been read twice. */
	return error < 0 ? error : survey->is_all_on ? 0 : survey->error;
}

int forward_is_on(struct netlink *nl, unsigned int ifindex, bool *ret)
{
	struct survey ipv4 = { .own = ifindex };
	struct survey ipv6 = { .own = ifindex };
	int error = nl_conf_list(nl, AF_INET, note_conf, &ipv4);

	if (error == 0)
		error = nl_conf_list(nl, AF_INET6, note_conf, &ipv6);
	if (error == 0)
		*ret = ipv4.is_own_on || ipv6.is_all_on;
	return error;
}

/* A TAP link carries both; so does one without AllowedIPs, for all that is known. */
static bool carries(const struct conf_link *conf, int family)
{
	if (conf->mode == CONF_MODE_TAP || conf->allowed_ips.n == 0)
		return true;
	for (size_t i = 0; i < conf->allowed_ips.n; i++) {
		if (conf->allowed_ips.items[i].family == family)
			return true;
	}
	return false;
}

static int survey_ipv4(struct netlink *nl, struct forward *list)
{
	struct survey survey = { .own = 0 };
	int error = look(nl, AF_INET, &survey);

	return error < 0 || survey.is_all_on ? error : forward_add(list, &survey.off);
}

static int survey_ipv6(struct netlink *nl, const char *namespace, struct forward *list)
{
	struct survey survey = { .own = 0 };
	int error = look(nl, AF_INET6, &survey);

	if (error < 0 || survey.is_all_on || !survey.has_all)
		return error;
	list->is_ipv6 = true;
	for (size_t i = 0; i < survey.off.n && error == 0; i++) {
		unsigned int ifindex = survey.off.items[i].ifindex;

		if (takes_ra(nl, namespace, ifindex))
			error = forward_note(list, ifindex, false, true);
	}
	return error;
}

int forward_survey(struct netlink *nl, const struct conf_link *conf, struct forward *list)
{
	int error = carries(conf, AF_INET) ? survey_ipv4(nl, list) : 0;

	if (error == 0 && carries(conf, AF_INET6))
		error = survey_ipv6(nl, conf->namespace, list);
	return error;
}

/* --- changing
 * ------------------------------------------------------------------------------------- */

static int change_ipv4(struct netlink *nl, const char *namespace, const struct forward_item *item,
		       bool is_on)
{
	char name[IFNAMSIZ];
	int error;

	if (!name_of(nl, item->ifindex, name))
		return 0;
	/* This way the kernel also keeps the device from joining packets (LRO), which cannot be
	 * forwarded; the other way works in a sandbox. */
	error = change_digit(namespace, digit_of("ipv4", name, "forwarding", is_on ? '1' : '0'),
			     is_on ? '0' : '1');
	if (error < 0 && item->ifindex != 0)
		error = nl_conf_set_forwarding(nl, item->ifindex, is_on);
	return error == -ENODEV ? 0 : error;
}

static int change_all_ipv6(const char *namespace, char from, char to)
{
	return change_digit(namespace, digit_of("ipv6", "all", "forwarding", to), from);
}

static int change_all_ra(struct netlink *nl, const char *namespace, const struct forward *list,
			 char from, char to)
{
	int result = 0;

	for (size_t i = 0; i < list->n; i++) {
		int error = 0;

		if (list->items[i].is_ra)
			error = change_ra(nl, namespace, list->items[i].ifindex, from, to);
		if (result == 0)
			result = error;
	}
	return result;
}

void forward_apply(struct netlink *nl, const char *namespace, struct forward *list,
		   struct forward_failure *failure)
{
	*failure = (struct forward_failure) { .ipv4 = 0 };
	for (size_t i = 0; i < list->n; i++) {
		struct forward_item *item = &list->items[i];
		int error = item->is_ipv4 ? change_ipv4(nl, namespace, item, true) : 0;

		if (error == 0)
			continue;
		item->is_ipv4 = false;
		*(item->ifindex == 0 ? &failure->later : &failure->ipv4) = error;
	}
	if (list->is_ipv6) {
		/* In this order: this host's own IPv6 must not be lost for a moment. */
		failure->ipv6 = change_all_ra(nl, namespace, list, '1', '2');
		if (failure->ipv6 == 0)
			failure->ipv6 = change_all_ipv6(namespace, '0', '1');
	}
	if (failure->ipv6 != 0) {
		(void)change_all_ra(nl, namespace, list, '2', '1');
		list->is_ipv6 = false;
		for (size_t i = 0; i < list->n; i++)
			list->items[i].is_ra = false;
	}
	compact(list);
}

int forward_undo(struct netlink *nl, const char *namespace, const struct forward *list)
{
	struct survey survey = { .own = 0 };
	int result = nl_conf_list(nl, AF_INET, note_conf, &survey);

	for (size_t i = 0; i < list->n && !survey.is_all_on; i++) {
		int error = 0;

		if (list->items[i].is_ipv4)
			error = change_ipv4(nl, namespace, &list->items[i], false);
		if (result == 0)
			result = error;
	}
	if (list->is_ipv6) {
		int error = change_all_ipv6(namespace, '1', '0');

		if (error == 0)
			error = change_all_ra(nl, namespace, list, '2', '1');
		if (result == 0)
			result = error;
	}
	return result;
}
