/* `vpnd doctor`: where the peer is, the way there, and what this host does to packets on it. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_prefix.h"
#include "daemon/host/policy.h"
#include "daemon/host/resolver.h"

/* Outer headers, UDP's, the message's, and the baseline's tag; IPv6's is 20 longer. */
#define OVERHEAD_IPV4 60
#define OVERHEAD_IPV6 80

static void add_remote(struct doctor *doctor, const union netaddr *remote)
{
	for (size_t i = 0; i < doctor->n_remotes; i++) {
		if (netaddr_equal(&doctor->remotes[i], remote))
			return;
	}
	if (doctor->n_remotes < ARRAY_SIZE(doctor->remotes))
		doctor->remotes[doctor->n_remotes++] = *remote;
}

static void resolve(struct doctor *doctor, const struct endpoint_spec *spec)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	char port[8], text[NETADDR_TEXT_MAX];
	struct addrinfo *list;
	union netaddr addr = { .sa.sa_family = AF_UNSPEC };
	size_t n = 0;
	int r;

	snprintf(port, sizeof(port), "%u", spec->port);
	r = getaddrinfo(spec->host, port, &hints, &list);
	if (r != 0) {
		doctor_say(doctor, DOCTOR_FAIL,
			   "Check the name and this host's name servers: `getent ahosts` with it.",
			   "the Endpoint %s does not resolve: %s", spec->host,
			   resolver_error_text(r));
		return;
	}
	for (const struct addrinfo *one = list; one; one = one->ai_next, n++) {
		memcpy(&addr, one->ai_addr, MIN(one->ai_addrlen, sizeof(addr)));
		add_remote(doctor, &addr);
		if (n == 0)
			netaddr_format(&addr, text);
	}
	freeaddrinfo(list);
	doctor_say(doctor, DOCTOR_OK, NULL, "the Endpoint %s is %s%s", spec->host, text,
		   n > 1 ? ", and it has more addresses" : "");
}

/* Where the running link believes the peer to be. */
static bool used_remote(const struct status_answer *status, union netaddr *ret)
{
	struct endpoint_spec spec;
	const char *reason;

	if (status->error || !status->endpoint ||
	    !endpoint_spec_parse(status->endpoint, &spec, &reason))
		return false;
	*ret = spec.literal;
	return spec.literal.sa.sa_family != AF_UNSPEC;
}

void doctor_check_endpoint(struct doctor *doctor)
{
	union netaddr used;
	bool is_used = used_remote(&doctor->status, &used);

	if (is_used)
		add_remote(doctor, &used);
	for (size_t i = 0; doctor->has_conf && i < doctor->conf.n_endpoints; i++) {
		const struct endpoint_spec *spec = &doctor->conf.endpoints[i];

		if (spec->literal.sa.sa_family == AF_UNSPEC)
			resolve(doctor, spec);
		else
			add_remote(doctor, &spec->literal);
	}
	if (is_used)
		doctor_say(doctor, DOCTOR_OK, NULL, "the link sends to %s",
			   doctor->status.endpoint);
	if (doctor->has_conf && doctor->conf.n_endpoints == 0 && !is_used)
		doctor_say(
			doctor, DOCTOR_WARN,
			"If no packet of the peer arrives here, look at its end; if this end is to "
			"call, give it an Endpoint.",
			"the link file has no Endpoint: this end waits for the peer to call");
}

static void say_no_way(struct doctor *doctor, const char *remote, int error)
{
	doctor_say(doctor, DOCTOR_FAIL,
		   "Check this host's own network: `ip route get` with that address.",
		   "there is no way to the peer at %s: %s", remote, strerror(-error));
}

static void check_width(struct doctor *doctor, const union netaddr *remote,
			const struct nl_path *path)
{
	unsigned int overhead = remote->sa.sa_family == AF_INET ? OVERHEAD_IPV4 : OVERHEAD_IPV6;
	char advice[DOCTOR_ADVICE_MAX];

	if (!doctor->mtu || doctor->mtu + overhead <= path->mtu)
		return;
	snprintf(advice, sizeof(advice),
		 "Leave MTU out of the link file, or set %u; both ends should have the same.",
		 path->mtu > overhead ? path->mtu - overhead : 0);
	doctor_say(doctor, DOCTOR_WARN, advice,
		   "full packets are too big for the way to the peer (MTU %u inside, %u outside): "
		   "they are sent in fragments, which many networks drop",
		   doctor->mtu, path->mtu);
}

void doctor_check_way(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_remotes; i++) {
		const union netaddr *remote = &doctor->remotes[i];
		char text[NETADDR_TEXT_MAX], name[IFNAMSIZ];
		struct nl_path path;
		int r = nl_path_get(&doctor->nl, remote, doctor->mark, &path);

		netaddr_format(remote, text);
		if (r < 0) {
			say_no_way(doctor, text, r);
			continue;
		}
		doctor_interface_name(&doctor->nl, path.ifindex, name);
		if (path.ifindex == doctor->ifindex && !doctor->conf.namespace) {
			doctor_say(doctor, DOCTOR_FAIL,
				   "AllowedIPs, or a route of this host, must not cover that "
				   "address.",
				   "the way to the peer at %s leads through the link itself", text);
			continue;
		}
		doctor_say(doctor, DOCTOR_OK, NULL, "packets to %s leave through %s, MTU %u", text,
			   name, path.mtu);
		/* Frames are cut into fragments by design: a bridge takes full ones only. */
		if (i == 0 && doctor->conf.mode == CONF_MODE_TUN)
			check_width(doctor, remote, &path);
	}
}

/* The address that this host calls from; no packet is sent for that. */
static bool own_address(const struct doctor *doctor, const union netaddr *remote,
			union netaddr *ret)
{
	int fd = socket(remote->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);
	bool is_known;

	if (fd < 0)
		return false;
	if (doctor->mark)
		(void)setsockopt(fd, SOL_SOCKET, SO_MARK, &doctor->mark, sizeof(doctor->mark));
	is_known = connect(fd, &remote->sa, netaddr_len(remote)) == 0 &&
		   getsockname(fd, &ret->sa, &len) == 0;
	close(fd);
	return is_known;
}

void doctor_check_nat(struct doctor *doctor)
{
	union netaddr own = { .sa.sa_family = AF_UNSPEC };
	char text[NETADDR_TEXT_MAX];

	if (!doctor->has_conf || doctor->n_remotes == 0 || doctor->conf.persistent_keepalive ||
	    !own_address(doctor, &doctor->remotes[0], &own) || !prefix_is_private(&own) ||
	    prefix_is_private(&doctor->remotes[0]))
		return;
	/* The port is that of the question. */
	if (own.sa.sa_family == AF_INET)
		own.in4.sin_port = 0;
	else
		own.in6.sin6_port = 0;
	netaddr_format(&own, text);
	text[strlen(text) - 2] = '\0';
	doctor_say(doctor, DOCTOR_WARN, "Add PersistentKeepalive = 25 to [Peer].",
		   "this host calls from %s, so there is a NAT on the way, which forgets an idle "
		   "link within minutes: then the peer cannot reach this end",
		   text);
}

/* A number in a file of /proc/sys; -1 when it cannot be read. */
static int read_setting(const char *family, const char *interface, const char *name)
{
	char path[128];
	FILE *stream;
	int c;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, interface, name);
	stream = fopen(path, "re");
	if (!stream)
		return -1;
	c = fgetc(stream);
	fclose(stream);
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

static bool is_strict(const char *interface)
{
	int all = read_setting("ipv4", "all", "rp_filter");
	int own = read_setting("ipv4", interface, "rp_filter");

	return MAX(all, own) == 1;
}

static void check_underlay_filter(struct doctor *doctor)
{
	char name[IFNAMSIZ];
	struct nl_path path;

	if (!policy_is_needed(&doctor->conf) || doctor->n_remotes == 0 || !doctor->mark ||
	    nl_path_get(&doctor->nl, &doctor->remotes[0], doctor->mark, &path) < 0)
		return;
	doctor_interface_name(&doctor->nl, path.ifindex, name);
	if (is_strict(name) && read_setting("ipv4", "all", "src_valid_mark") == 0)
		doctor_say(
			doctor, DOCTOR_FAIL,
			"`sysctl net.ipv4.conf.all.src_valid_mark=1`, or rp_filter=2 for it.",
			"%s checks sources strictly (rp_filter 1) and without the mark: with the "
			"default route in the link the peer's packets are dropped",
			name);
}

static void check_forwarding(struct doctor *doctor)
{
	static const char *const names[] = { "ipv4", "ipv6" };

	for (size_t i = 0; doctor->conf.forward && i < ARRAY_SIZE(names); i++) {
		if (read_setting(names[i], doctor->name, "forwarding") == 0)
			doctor_say(doctor, DOCTOR_WARN,
				   "Something else has switched it off: see sysctl.d(5).",
				   "the file has Forward, and %s does not forward what comes from "
				   "the link",
				   names[i]);
	}
}

void doctor_check_sources(struct doctor *doctor)
{
	if (!doctor->has_conf || !doctor->ifindex || doctor->conf.namespace)
		return;
	check_underlay_filter(doctor);
	check_forwarding(doctor);
	if (is_strict(doctor->name) && doctor->conf.table_kind != CONF_TABLE_AUTO)
		doctor_say(doctor, DOCTOR_WARN,
			   "`sysctl net.ipv4.conf.LINK.rp_filter=2` with the link's name.",
			   "%s checks sources strictly (rp_filter 1): what comes from the peer is "
			   "dropped unless routes of the main table lead back there",
			   doctor->name);
}
