/* Switching forwarding on and back; see forward.h for what the kernel asks. */
#include "daemon/host/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/prefixes.h"
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
	unsigned int own; /* the link's interface */
	bool is_all_on;
	bool has_all; /* the kernel has that version */
	bool is_full; /* interfaces were left out of the list */
	struct forward off;
};

/* The link's own and what comes later always have a place. */
#define KEPT_PLACES 2

static void note_off(struct survey *survey, unsigned int ifindex)
{
	bool is_kept = ifindex == 0 || ifindex == survey->own;

	if ((!is_kept && survey->off.n >= FORWARD_ITEMS_MAX - KEPT_PLACES) ||
	    forward_note(&survey->off, ifindex, true, false) < 0)
		survey->is_full = true;
}

static void note_conf(const struct nl_conf *conf, void *context)
{
	struct survey *survey = context;

	if (conf->ifindex == NL_CONF_ALL) {
		survey->has_all = true;
		survey->is_all_on = conf->is_forwarding;
	} else if (!conf->is_forwarding && conf->ifindex != LOOPBACK_IFINDEX) {
		note_off(survey, conf->ifindex > 0 ? (unsigned int)conf->ifindex : 0);
	}
}

/* A TAP link carries both; so does one without AllowedIPs, for all that is known. */
static bool carries(const struct conf_link *conf, int family)
{
	return conf->mode == CONF_MODE_TAP || conf->allowed_ips.n == 0 ||
	       prefixes_has_family(&conf->allowed_ips, family);
}

static int survey_ipv4(struct netlink *nl, unsigned int own, struct forward *list)
{
	struct survey survey = { .own = own };
	int error = nl_conf_list(nl, AF_INET, note_conf, &survey);

	if (error < 0 || survey.is_all_on)
		return error;
	return forward_add(list, &survey.off) < 0 || survey.is_full ? FORWARD_TOO_MANY : 0;
}

static int survey_ipv6(struct netlink *nl, const char *namespace, struct forward *list)
{
	struct survey survey = { .own = 0 };
	int error = nl_conf_list(nl, AF_INET6, note_conf, &survey);

	if (error < 0 || survey.is_all_on || !survey.has_all)
		return error;
	if (survey.is_full)
		return FORWARD_TOO_MANY;
	for (size_t i = 0; i < survey.off.n; i++) {
		unsigned int ifindex = survey.off.items[i].ifindex;

		if (takes_ra(nl, namespace, ifindex) &&
		    forward_note(list, ifindex, false, true) < 0)
			return FORWARD_TOO_MANY;
	}
	list->is_ipv6 = true;
	return 0;
}

int forward_survey(struct netlink *nl, const struct conf_link *conf, unsigned int ifindex,
		   struct forward *list)
{
	int ipv4 = carries(conf, AF_INET) ? survey_ipv4(nl, ifindex, list) : 0;
	int ipv6 = 0;

	if (ipv4 >= 0 && carries(conf, AF_INET6))
		ipv6 = survey_ipv6(nl, conf->namespace, list);
	return ipv4 < 0 || ipv6 < 0 ? MIN(ipv4, ipv6) : MAX(ipv4, ipv6);
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

/* Whoever writes "all" writes "default" with it, also when "all" had that value before. So
 * "default" is put back here, and is 1 again as soon as somebody else has switched IPv6 forwarding
 * on. */
static int switch_ipv6_on(const char *namespace)
{
	struct digit all = digit_of("ipv6", "all", "forwarding", 0);
	int error = netns_call(namespace, read_digit, &all);

	if (error < 0 || all.value != '0')
		return error;
	all.value = '1';
	error = netns_call(namespace, write_digit, &all);
	if (error == 0)
		(void)change_digit(namespace, digit_of("ipv6", "default", "forwarding", '0'), '1');
	return error;
}

static bool is_ipv6_wanted_by_others(const char *namespace)
{
	struct digit later = digit_of("ipv6", "default", "forwarding", 0);

	return netns_call(namespace, read_digit, &later) == 0 && later.value == '1';
}

static int switch_ipv6_off(const char *namespace)
{
	return change_digit(namespace, digit_of("ipv6", "all", "forwarding", '0'), '1');
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
			failure->ipv6 = switch_ipv6_on(namespace);
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
	if (list->is_ipv6 && !is_ipv6_wanted_by_others(namespace)) {
		int error = switch_ipv6_off(namespace);

		if (error == 0)
			error = change_all_ra(nl, namespace, list, '2', '1');
		if (result == 0)
			result = error;
	}
	return result;
}
