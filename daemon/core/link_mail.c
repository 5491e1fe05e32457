/*
 * Between control and the data loops: what control hears from them, and what it tells them. See
 * link.h.
 */
#include <string.h>

#include "daemon/core/link.h"

/* Handshake messages handled in one turn of the loop, so that a flood leaves room for timers. */
#define HANDSHAKES_PER_TURN 32

static bool has_new_keypairs(struct link *link)
{
	const struct keypairs *keypairs = &link->peer.secrets->keypairs;
	const struct keypair *const slots[] = { keypairs->current, keypairs->previous,
						keypairs->next };
	bool is_new = false;

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		uint64_t serial = slots[i] ? slots[i]->serial : 0;

		is_new |= serial != link->published_serials[i];
		link->published_serials[i] = serial;
	}
	return is_new;
}

void link_tell(struct link *link, unsigned int todo)
{
	const struct order_state state = {
		.mtu = link->mtu,
		.whole_max = link->whole_max,
		.way_mtu = link->way_mtu,
		.may_wait = link->may_wait,
		.allowed = link->allowed,
		.udp = link->wire.udp,
		.fwmark = link->ways.fwmark,
		.n_exchanges = link->exchange.n_exchanges,
	};
	bool has_keys = has_new_keypairs(link);
	const struct keypairs *keypairs = has_keys ? &link->peer.secrets->keypairs : NULL;
	bool is_same = state.mtu == link->published.mtu &&
		       state.whole_max == link->published.whole_max &&
		       state.may_wait == link->published.may_wait &&
		       state.n_exchanges == link->published.n_exchanges;
	unsigned int to_both = state.n_exchanges == link->published.n_exchanges
				       ? 0U
				       : (unsigned int)ORDER_EXCHANGE;

	link->published = state;
	if (!is_same || has_keys)
		orders_give(&link->rx.worker.orders, &state, keypairs, to_both);
	if (!is_same || has_keys || todo)
		orders_give(&link->tx.worker.orders, &state, keypairs, todo | to_both);
	if (has_keys) {
		keypairs_wipe_send_keys(&link->peer.secrets->keypairs);
		keypairs_wipe_receive_keys(&link->peer.secrets->keypairs);
	}
}

/* What tx and rx both tell. */
static void apply_facts(struct link *link, const struct facts *facts)
{
	link->wire.is_way_stale |= facts->is_way_stale;
	if (facts->lost)
		link_lose_interface(link,
				    facts->lost == EBADFD ? "was deleted" : strerror(facts->lost));
	report_hear(&link->report, &facts->trouble);
	if (facts->is_answer && link->n_answers_awaited > 0 && --link->n_answers_awaited == 0)
		link_answer_status(link);
}

static void apply_tx_facts(struct link *link, nsec_t now)
{
	struct peer *peer = &link->peer;
	struct facts facts;

	tray_take(&link->tx.worker.tray, &facts);
	link->tx_counters = facts.counters;
	link->wire.refuses_runs = facts.refuses_runs;
	exchange_answered(&link->exchange, EXCHANGE_TX, facts.n_exchanges);
	if (facts.first_data)
		peer_sent(peer, true, facts.send_counter, facts.first_data);
	if (facts.last_data > facts.first_data)
		peer_sent(peer, true, facts.send_counter, facts.last_data);
	if (facts.last > facts.last_data)
		peer_sent(peer, false, facts.send_counter, facts.last);
	if (facts.wants_session)
		peer_want_session(peer, facts.serial, now);
	apply_facts(link, &facts);
}

static void apply_rx_facts(struct link *link)
{
	struct peer *peer = &link->peer;
	struct facts facts;

	tray_take(&link->rx.worker.tray, &facts);
	link->rx_counters = facts.counters;
	link->unmerged = facts.unmerged;
	exchange_answered(&link->exchange, EXCHANGE_RX, facts.n_exchanges);
	for (size_t i = 0; i < facts.n_confirmed; i++)
		peer_confirmed(peer, facts.confirmed[i], facts.last);
	if (facts.first_data)
		peer_received(peer, true, facts.first_data);
	/* What came after the first, if only in the same batch, is owed a keepalive of its own. */
	if (facts.n_data > 1)
		peer_received(peer, true, facts.last_data);
	if (facts.last > facts.last_data)
		peer_received(peer, false, facts.last);
	apply_facts(link, &facts);
}

void link_on_tx_facts(void *context)
{
	struct link *link = context;
	nsec_t now = nsec_boottime();

	apply_tx_facts(link, now);
	link_act(link, now);
}

void link_on_rx_facts(void *context)
{
	struct link *link = context;
	nsec_t now = nsec_boottime();

	apply_rx_facts(link);
	link_act(link, now);
}

/* A stamp from the future locks the peer out once its clock is right again: say it in time. */
static void check_clock(struct link *link, nsec_t now)
{
	struct timespec wallclock = nsec_wallclock();
	uint64_t hours = tai64n_seconds_ahead(&link->peer.last_stamp_seen, &wallclock) / 3600;

	if (hours > 0)
		troubles_say(&link->report.troubles, TROUBLE_FAR_TIMESTAMP, now,
			     "the peer's clock is %llu hours ahead of ours: when it is set "
			     "right, the peer is refused until then, or until this link restarts",
			     (unsigned long long)hours);
}

static void handle_handshake(struct link *link, const struct handshake_message *message, nsec_t now)
{
	const struct udp_path *path = &message->path;
	struct peer_reply reply;
	enum peer_verdict verdict =
		peer_receive_handshake(&link->peer, message->type, message->bytes, message->len,
				       &path->remote, now, &reply);

	link->counters.verdicts[verdict]++;
	if (verdict == PEER_RESPONDED || verdict == PEER_ESTABLISHED) {
		link->counters.n[COUNT_RX_BYTES] += message->len;
		if (!reply.may_be_replay)
			wire_roam(&link->wire, path, message->when);
	}
	/* rx must have the keys before the peer can use them. */
	if (verdict == PEER_RESPONDED)
		link_tell(link, 0);
	if (reply.len > 0)
		wire_send_handshake(&link->wire, path, reply.message, reply.len, now);
	if (verdict == PEER_RESPONDED)
		check_clock(link, now);
	report_handshake(&link->report, verdict, &reply, &path->remote, &link->wire.path.remote,
			 &link->peer.secrets->identity.own_public, now);
}

void link_on_handshakes(void *context)
{
	struct handshake_message messages[HANDSHAKES_PER_TURN];
	struct link *link = context;
	nsec_t now = nsec_boottime();
	size_t n;

	/* What was opened before these came is older. */
	apply_rx_facts(link);
	wire_follow(&link->wire);
	n = handshakes_take(&link->handshakes, messages, HANDSHAKES_PER_TURN);
	for (size_t i = 0; i < n; i++)
		handle_handshake(link, &messages[i], now);
	link_act(link, now);
}

void link_ask_counters(struct link *link)
{
	/* Who asks while somebody has asked shares the answer. */
	if (link->n_answers_awaited > 0)
		return;
	link->n_answers_awaited = 2;
	orders_give(&link->tx.worker.orders, NULL, NULL, ORDER_REPORT);
	orders_give(&link->rx.worker.orders, NULL, NULL, ORDER_REPORT);
}

void link_stop(struct link *link)
{
	struct facts facts;

	worker_stop(&link->tx.worker);
	worker_stop(&link->rx.worker);
	if (!link->has_alarm)
		return;
	tray_take(&link->tx.worker.tray, &facts);
	link->tx_counters = facts.counters;
	tray_take(&link->rx.worker.tray, &facts);
	link->rx_counters = facts.counters;
}
