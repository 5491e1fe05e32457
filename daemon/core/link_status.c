/*
 * What is shown of a link, put together (status.h), and the same in the log, for kill -USR1 and
 * for the end: the state in words, and every counter that is not zero.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/core/link.h"
#include "daemon/core/status.h"

const struct link_state_name *link_state_name(const struct link *link)
{
	static const struct link_state_name trying = { "handshake", "handshake under way" };
	static const struct link_state_name names[] = {
		[REPORT_IDLE] = { "idle", "no session" },
		[REPORT_UP] = { "up", "up" },
		[REPORT_STALE] = { "stale", "nothing comes back" },
		[REPORT_NO_ANSWER] = { "no-answer", "no answer" },
		[REPORT_GAVE_UP] = { "gave-up", "given up" },
	};
	static_assert(ARRAY_SIZE(names) == REPORT_GAVE_UP + 1, "a name for each state");

	/* Between the first initiation and the third without an answer there is no news, but a
	 * try. */
	if (link->report.state == REPORT_IDLE && link->peer.secrets->handshake.is_waiting)
		return &trying;
	return &names[link->report.state];
}

static nsec_t age_of(nsec_t then, nsec_t now)
{
	return now > then ? now - then : 0;
}

static void get_session(const struct link *link, nsec_t now, struct link_status *ret)
{
	const struct keypair *current = link->peer.secrets->keypairs.current;

	ret->cipher = current ? current->cipher->name : NULL;
	ret->had_session = link->peer.last_session_up != 0;
	if (!ret->had_session)
		return;
	ret->session_age = age_of(link->peer.last_session_up, now);
	ret->session = link->session;
	ret->handshake_time = link->peer.handshake_time;
}

static void get_counters(const struct link *link, struct link_status *ret)
{
	struct counters *sum = &ret->counters;
	uint64_t n_expected;

	*sum = link->counters;
	counters_add(sum, &link->tx_counters);
	counters_add(sum, &link->rx_counters);
	n_expected = sum->n[COUNT_RX_EXPECTED];
	ret->n_received = sum->verdicts[PEER_DATA] + sum->verdicts[PEER_KEEPALIVE];
	ret->n_lost = n_expected > ret->n_received ? n_expected - ret->n_received : 0;
}

static void get_trouble(const struct link *link, nsec_t now, struct link_status *ret)
{
	const struct trouble *last = &link->report.troubles.last;

	if (!last->when)
		return;
	ret->trouble = *last;
	ret->trouble_age = age_of(last->when, now);
	ret->is_trouble_over = link->report.state == REPORT_UP && link->report.since >= last->when;
}

static void get_offloads(const struct link *link, struct link_status *ret)
{
	unsigned int merged = link->gro_flags & ~link->unmerged;
	const struct {
		bool is_used;
		const char *name;
	} offloads[] = {
		{ link->tun.has_tso, "tun-tcp" },
		{ link->tun.has_uso, "tun-udp" },
		{ (merged & GRO_TCP) != 0, "merge-tcp" },
		{ (merged & GRO_UDP) != 0, "merge-udp" },
		{ link->wire.udp.has_segment && !link->wire.refuses_runs, "udp-segment" },
		{ link->wire.udp.has_gro, "udp-gro" },
	};
	static_assert(ARRAY_SIZE(offloads) <= STATUS_OFFLOADS_MAX, "room for all");

	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		if (offloads[i].is_used)
			ret->offloads[ret->n_offloads++] = offloads[i].name;
	}
}

void link_get_status(const struct link *link, nsec_t now, struct link_status *ret)
{
	const struct conf_link *conf = link->conf;

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", conf->name);
	ret->ifindex = link->ifindex;
	ret->mtu = link->mtu;
	ret->is_tap = link->conf->mode == CONF_MODE_TAP;
	ret->listen_port = link->wire.udp.port;
	ret->fwmark = link->ways.fwmark;
	ret->state = link_state_name(link)->key;
	ret->state_text = link_state_name(link)->text;
	ret->state_age = age_of(link->report.since, now);
	ret->now = nsec_wallclock();
	ret->public_key = link->peer.secrets->identity.own_public;
	ret->peer_key = link->peer.secrets->identity.peer_public;
	ret->remote = link->wire.path.remote;
	ret->persistent_keepalive = conf->persistent_keepalive;
	ret->n_allowed_ips = conf_link_accepted(conf)->n;
	get_session(link, now, ret);
	get_counters(link, ret);
	get_trouble(link, now, ret);
	get_offloads(link, ret);
}

static unsigned long long seconds(nsec_t duration)
{
	return duration / NSEC_PER_SEC;
}

void link_log_status(const struct link *link, nsec_t now)
{
	struct link_status status;
	char remote[NETADDR_TEXT_MAX];

	link_get_status(link, now, &status);
	log_notice("status: %s for %llu s, peer at %s, MTU %u", status.state_text,
		   seconds(status.state_age), netaddr_format(&status.remote, remote), status.mtu);
	if (status.had_session)
		log_notice("status: last handshake %llu s ago, cipher %s",
			   seconds(status.session_age),
			   status.cipher ? status.cipher : "none (its keys are erased)");
	if (status.n_lost)
		log_notice("status: messages of the peer that did not come: %llu",
			   (unsigned long long)status.n_lost);
	for (enum counter i = 0; i < N_COUNTERS; i++) {
		if (status.counters.n[i])
			log_notice("status: %s: %llu", status_counter_text(i),
				   (unsigned long long)status.counters.n[i]);
	}
	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++) {
		if (status.counters.verdicts[i])
			log_notice("status: messages, %s: %llu", peer_verdict_name(i),
				   (unsigned long long)status.counters.verdicts[i]);
	}
}

void link_ask_status(struct link *link)
{
	link->logs_status = true;
	link_ask_counters(link);
}

void link_answer_status(struct link *link)
{
	if (link->logs_status)
		link_log_status(link, nsec_boottime());
	link->logs_status = false;
	pulse_answered(link);
	if (link->on_counters)
		link->on_counters(link->on_counters_context);
}
