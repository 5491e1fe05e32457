/* A link's status as JSON; see status_json.h. */
#include "daemon/ctl/status_json.h"

#include <jansson.h>

#include "common/keytext.h"

/* Numbers of JSON are of a kind with a sign; no counter gets that far. */
static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *seconds(nsec_t duration)
{
	nsec_t msec = duration / NSEC_PER_MSEC;

	return json_real((double)msec / 1000.0);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* null: there is none, which only a link without a file knows. */
static json_t *key_text(const struct key *key)
{
	char text[KEYTEXT_LEN + 1];

	if (key_is_zero(key))
		return json_null();
	keytext_encode(key, text);
	return json_string(text);
}

static json_t *peer_of(const struct link_status *status)
{
	bool has_remote = status->remote.sa.sa_family != AF_UNSPEC;
	char remote[NETADDR_TEXT_MAX];

	return json_pack("{s:o, s:o, s:i, s:o}", "public_key", key_text(&status->peer_key),
			 "endpoint",
			 text_or_null(has_remote ? netaddr_format(&status->remote, remote) : NULL),
			 "persistent_keepalive", (int)status->persistent_keepalive, "allowed_ips",
			 number(status->n_allowed_ips));
}

static json_t *handshake_of(const struct link_status *status)
{
	nsec_t usec = status->handshake_time / 1000;

	if (!status->had_session)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "time", (json_int_t)status->session.tv_sec, "age",
			 seconds(status->session_age), "duration",
			 status->handshake_time ? json_real((double)usec / 1e6) : json_null());
}

static json_t *traffic_of(const struct link_status *status)
{
	const uint64_t *n = status->counters.n;

	return json_pack("{s:o, s:o, s:o, s:o}", "rx_bytes", number(n[COUNT_RX_BYTES]), "tx_bytes",
			 number(n[COUNT_TX_BYTES]), "rx_packets", number(n[COUNT_RX_PACKETS]),
			 "tx_packets", number(n[COUNT_TX_PACKETS]));
}

static json_t *loss_of(const struct link_status *status)
{
	uint64_t n_all = status->n_received + status->n_lost;

	return json_pack("{s:o, s:o, s:f}", "received", number(status->n_received), "lost",
			 number(status->n_lost), "ratio",
			 n_all ? (double)status->n_lost / (double)n_all : 0.0);
}

static json_t *drops_of(const struct link_status *status)
{
	json_t *drops = json_object();

	for (enum counter i = 0; i < N_COUNTERS; i++) {
		if (status_is_drop(i))
			json_object_set_new(drops, status_counter_key(i),
					    number(status->counters.n[i]));
	}
	return drops;
}

static json_t *messages_of(const struct link_status *status)
{
	json_t *messages = json_object();

	for (enum peer_verdict i = 0; i < PEER_N_VERDICTS; i++)
		json_object_set_new(messages, peer_verdict_key(i),
				    number(status->counters.verdicts[i]));
	return messages;
}

static json_t *trouble_of(const struct link_status *status)
{
	nsec_t age = status->trouble_age / NSEC_PER_SEC;

	if (!status->trouble.when)
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:o, s:b}", "text", json_string(status->trouble.text),
			 "advice", text_or_null(status->trouble.advice), "time",
			 (json_int_t)status->now.tv_sec - (json_int_t)age, "age",
			 seconds(status->trouble_age), "over", (int)status->is_trouble_over);
}

static json_t *offloads_of(const struct link_status *status)
{
	json_t *offloads = json_array();

	for (size_t i = 0; i < status->n_offloads; i++)
		json_array_append_new(offloads, json_string(status->offloads[i]));
	return offloads;
}

static json_t *object_of(const struct link_status *status)
{
	nsec_t age = status->state_age / NSEC_PER_SEC;

	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:o, s:o, s:{s:s, s:i, s:i, s:s}, s:i, s:o, "
			 "s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "version", STATUS_JSON_VERSION, "link", status->name, "state",
			 status->state, "state_text", status->state_text, "state_since",
			 (json_int_t)status->now.tv_sec - (json_int_t)age, "state_seconds",
			 seconds(status->state_age), "public_key", key_text(&status->public_key),
			 "interface", "name", status->name, "index", (int)status->ifindex, "mtu",
			 (int)status->mtu, "mode", status->is_tap ? "tap" : "tun", "listen_port",
			 (int)status->listen_port, "fwmark", number(status->fwmark), "peer",
			 peer_of(status), "cipher", text_or_null(status->cipher), "handshake",
			 handshake_of(status), "traffic", traffic_of(status), "loss",
			 loss_of(status), "drops", drops_of(status), "waits",
			 number(status->counters.n[COUNT_TX_BLOCKED]), "messages",
			 messages_of(status), "trouble", trouble_of(status), "offloads",
			 offloads_of(status));
}

char *status_json(const struct link_status *status)
{
	json_t *object = object_of(status);
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;

	json_decref(object);
	return text;
}
