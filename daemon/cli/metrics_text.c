/*
 * The figures of links in the formats of monitoring systems; see metrics_text.h. One table has the
 * families; the two formats differ in how a counter is called in its head, and in the end.
 */
#include "daemon/cli/metrics_text.h"

#include <string.h>
#include <strings.h>

#include "common/defs.h"

enum kind { COUNTER, GAUGE };

/* One family of figures with one value for each link. */
struct family {
	const char *name; /* without the "_total" of counters */
	const char *unit; /* that the name ends with, or NULL */
	enum kind kind;
	const char *help;
	double (*value)(const struct status_answer *link);
	bool (*is_there)(const struct status_answer *link); /* NULL: always */
};

static double sent_bytes(const struct status_answer *link)
{
	return (double)link->tx_bytes;
}

static double received_bytes(const struct status_answer *link)
{
	return (double)link->rx_bytes;
}

static double sent_packets(const struct status_answer *link)
{
	return (double)link->tx_packets;
}

static double received_packets(const struct status_answer *link)
{
	return (double)link->rx_packets;
}

static double latest_handshake(const struct status_answer *link)
{
	return link->has_handshake ? (double)link->handshake_time : 0;
}

static double handshake_duration(const struct status_answer *link)
{
	return link->handshake_duration;
}

static bool has_duration(const struct status_answer *link)
{
	return link->handshake_duration > 0;
}

static double messages_received(const struct status_answer *link)
{
	return (double)link->n_received;
}

static double messages_lost(const struct status_answer *link)
{
	return (double)link->n_lost;
}

static double mtu(const struct status_answer *link)
{
	return (double)link->mtu;
}

static double waits(const struct status_answer *link)
{
	return (double)json_integer_value(json_object_get(link->json, "waits"));
}

static const struct family families[] = {
	{ "wireguard_sent_bytes", "bytes", COUNTER, "UDP payload sent to the peer", sent_bytes,
	  NULL },
	{ "wireguard_received_bytes", "bytes", COUNTER,
	  "UDP payload of authentic messages received from the peer", received_bytes, NULL },
	{ "wireguard_latest_handshake_seconds", "seconds", GAUGE,
	  "When the last handshake was completed, in Unix time; 0: never", latest_handshake, NULL },
	{ "vpnd_sent_packets", "packets", COUNTER, "Inner packets sent", sent_packets, NULL },
	{ "vpnd_received_packets", "packets", COUNTER, "Inner packets received", received_packets,
	  NULL },
	{ "vpnd_received_messages", "messages", COUNTER, "Data messages received from the peer",
	  messages_received, NULL },
	/* It falls when a late message comes after all, so it is no counter. */
	{ "vpnd_lost_messages", "messages", GAUGE,
	  "Data messages of the peer that did not come, by the counters in those that did",
	  messages_lost, NULL },
	{ "vpnd_handshake_duration_seconds", "seconds", GAUGE,
	  "How long the last handshake took that was begun here", handshake_duration,
	  has_duration },
	{ "vpnd_mtu_bytes", "bytes", GAUGE, "MTU of the interface", mtu, NULL },
	{ "vpnd_socket_waits", NULL, COUNTER, "Times that the UDP socket was full", waits, NULL },
};

static void print_head(FILE *stream, enum metrics_format format, const char *name, const char *unit,
		       const char *type, const char *help)
{
	bool is_open = format == METRICS_OPENMETRICS;
	const char *suffix = !is_open && strcmp(type, "counter") == 0 ? "_total" : "";

	/* Prometheus' own format knows neither of these. */
	if (!is_open && (strcmp(type, "stateset") == 0 || strcmp(type, "info") == 0))
		type = "gauge";
	fprintf(stream, "# TYPE %s%s %s\n", name, suffix, type);
	if (is_open && unit)
		fprintf(stream, "# UNIT %s %s\n", name, unit);
	fprintf(stream, "# HELP %s%s %s.\n", name, suffix, help);
}

/* NAME{interface="…",public_key="…": names of links and keys have nothing to be escaped. */
static void print_name(FILE *stream, const char *name, const char *suffix,
		       const struct status_answer *link)
{
	fprintf(stream, "%s%s{interface=\"%s\",public_key=\"%s\"", name, suffix, link->name,
		link->peer_key);
}

static void print_family(FILE *stream, enum metrics_format format, const struct family *family,
			 const struct status_answers *links)
{
	bool is_counter = family->kind == COUNTER;

	print_head(stream, format, family->name, family->unit, is_counter ? "counter" : "gauge",
		   family->help);
	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];

		if (link->error || (family->is_there && !family->is_there(link)))
			continue;
		print_name(stream, family->name, is_counter ? "_total" : "", link);
		fprintf(stream, "} %.17g\n", family->value(link));
	}
}

/* One figure for each member of an object: {reason="tx_no_session"}. */
static void print_members(FILE *stream, enum metrics_format format, const char *name,
			  const char *unit, const char *help, const char *label,
			  const struct status_answers *links, bool is_drops)
{
	print_head(stream, format, name, unit, "counter", help);
	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];
		json_t *object = json_object_get(link->json, is_drops ? "drops" : "messages");
		json_t *value;
		const char *key;

		json_object_foreach(object, key, value)
		{
			print_name(stream, name, "_total", link);
			fprintf(stream, ",%s=\"%s\"} %lld\n", label, key,
				(long long)json_integer_value(value));
		}
	}
}

/* Which of its states a link is in, as OpenMetrics has it: one figure for each, 1 for that one. */
static void print_states(FILE *stream, enum metrics_format format,
			 const struct status_answers *links)
{
	static const char *const states[] = { "unknown", "not-running", "idle",      "handshake",
					      "up",      "stale",       "no-answer", "gave-up" };

	print_head(stream, format, "vpnd_link_state", NULL, "stateset",
		   "The state that the link is in");
	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];
		const char *state = status_ask_state(link);

		for (size_t j = 0; j < ARRAY_SIZE(states); j++)
			fprintf(stream,
				"vpnd_link_state{interface=\"%s\",vpnd_link_state=\"%s\"} %d\n",
				link->name, states[j], strcmp(state, states[j]) == 0);
	}
}

static void print_info(FILE *stream, enum metrics_format format, const struct status_answers *links)
{
	bool is_open = format == METRICS_OPENMETRICS;

	print_head(stream, format, is_open ? "vpnd_link" : "vpnd_link_info", NULL, "info",
		   "What does not count");
	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];

		if (link->error)
			continue;
		print_name(stream, "vpnd_link_info", "", link);
		fprintf(stream, ",endpoint=\"%s\",cipher=\"%s\"} 1\n",
			link->endpoint ? link->endpoint : "", link->cipher ? link->cipher : "");
	}
}

void metrics_print(FILE *stream, enum metrics_format format, const struct status_answers *links)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		print_family(stream, format, &families[i], links);
	print_members(stream, format, "vpnd_dropped_packets", "packets",
		      "Packets or messages that went nowhere, by reason", "reason", links, true);
	print_members(stream, format, "vpnd_messages", "messages",
		      "Messages received, by what they turned out to be", "verdict", links, false);
	print_states(stream, format, links);
	print_info(stream, format, links);
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", stream);
}

enum metrics_format metrics_format_of(const char *head)
{
	static const char field[] = "accept:";

	for (const char *line = head; line; line = strchr(line, '\n')) {
		const char *end, *type;

		line += *line == '\n';
		if (strncasecmp(line, field, strlen(field)) != 0)
			continue;
		end = line + strcspn(line, "\n");
		type = strcasestr(line, "application/openmetrics-text");
		if (type && type < end)
			return METRICS_OPENMETRICS;
	}
	return METRICS_PROMETHEUS;
}

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
