/* What `vpnd show` prints; see show_text.h. */
#include "daemon/cli/show_text.h"

#include <errno.h>
#include <string.h>

#include "common/defs.h"
#include "daemon/core/status.h"

#include "daemon/cli/terminal.h"

#define COLUMNS_MIN 80
/* Where the text of a link begins behind its name's column, and the values behind that. */
#define INDENT       2
#define VALUE_INDENT 13
/* Beyond that an old trouble is history, and no row of the table. */
#define TROUBLE_RECENT_SECONDS 600.0

enum colour { PLAIN, BOLD, DIM, GOOD, MIDDLING, BAD };

static const char *colour(const struct show_style *style, enum colour which)
{
	static const char *const codes[] = { "\033[0m",  "\033[1m",  "\033[2m",
					     "\033[32m", "\033[33m", "\033[31m" };

	return style->has_colours ? codes[which] : "";
}

static enum colour colour_of(const struct status_answer *link)
{
	static const struct {
		const char *state;
		enum colour colour;
	} colours[] = {
		{ "up", GOOD },
		{ "idle", PLAIN },
		{ "handshake", MIDDLING },
		{ "stale", MIDDLING },
	};

	for (size_t i = 0; link->error == 0 && i < ARRAY_SIZE(colours); i++) {
		if (strcmp(link->state, colours[i].state) == 0)
			return colours[i].colour;
	}
	return link->error == -ENOENT ? DIM : BAD;
}

const char *show_duration(double seconds, char buf[static SHOW_TEXT_MAX])
{
	unsigned long long s = seconds > 0 ? (unsigned long long)seconds : 0;

	if (s < 60)
		snprintf(buf, SHOW_TEXT_MAX, "%llu s", s);
	else if (s < 3600)
		snprintf(buf, SHOW_TEXT_MAX, "%llu min %llu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, SHOW_TEXT_MAX, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, SHOW_TEXT_MAX, "%llu d %llu h", s / 86400, s / 3600 % 24);
	return buf;
}

/* A number with a unit, of which each is `step` times the one before. */
static const char *scaled(double value, double step, const char *const *units, size_t n_units,
			  char *buf)
{
	size_t i = 0;

	while (value >= step && i + 1 < n_units) {
		value /= step;
		i++;
	}
	snprintf(buf, SHOW_TEXT_MAX, "%.*f %s",
		 i == 0 || value >= 100 ? 0
		 : value >= 10          ? 1
					: 2,
		 value, units[i]);
	return buf;
}

const char *show_bytes(double bytes, char buf[static SHOW_TEXT_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	return scaled(bytes, 1024, units, ARRAY_SIZE(units), buf);
}

const char *show_bits(double bits, char buf[static SHOW_TEXT_MAX])
{
	static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s" };

	return scaled(bits, 1000, units, ARRAY_SIZE(units), buf);
}

/* Loss in percent, with as many digits as tell something; "-" when nothing was received. */
static const char *loss(const struct status_answer *link, char buf[static SHOW_TEXT_MAX])
{
	long long n_all = link->n_received + link->n_lost;
	double percent = n_all > 0 ? 100.0 * (double)link->n_lost / (double)n_all : 0;

	if (n_all == 0)
		snprintf(buf, SHOW_TEXT_MAX, "-");
	else if (link->n_lost == 0)
		snprintf(buf, SHOW_TEXT_MAX, "0 %%");
	else if (percent < 0.001)
		snprintf(buf, SHOW_TEXT_MAX, "<0.001 %%");
	else
		snprintf(buf, SHOW_TEXT_MAX, "%.*f %%", percent < 1 ? 3 : 1, percent);
	return buf;
}

static void print_wrapped(FILE *stream, const struct show_style *style, unsigned int indent,
			  const char *text)
{
	terminal_wrap(stream, MAX(style->columns, COLUMNS_MIN), indent, text);
}

/* "  peer         " */
static void print_label(FILE *stream, const char *label)
{
	fprintf(stream, "%*s%-*s", INDENT, "", VALUE_INDENT - INDENT, label);
}

static void print_trouble(FILE *stream, const struct show_style *style,
			  const struct status_answer *link, unsigned int indent)
{
	char text[1024], age[SHOW_TEXT_MAX];

	snprintf(text, sizeof(text), "%s ago%s: %s", show_duration(link->trouble_age, age),
		 link->is_trouble_over ? ", before the session" : "", link->trouble);
	print_wrapped(stream, style, indent, text);
	if (!link->advice || link->is_trouble_over)
		return;
	fprintf(stream, "%*s", (int)indent, "");
	print_wrapped(stream, style, indent, link->advice);
}

#define EXPLAIN_MAX 128

/* Why there is nothing to be shown of a link. */
static const char *explain(const struct status_answer *link, char buf[static EXPLAIN_MAX])
{
	switch (link->error) {
	case -ENOENT:
		snprintf(buf, EXPLAIN_MAX, "start it with `systemctl start vpnd@%s`", link->name);
		return buf;
	case -ECONNREFUSED:
		snprintf(buf, EXPLAIN_MAX,
			 "its socket is left over: it was killed; `systemctl status vpnd@%s` tells "
			 "more",
			 link->name);
		return buf;
	case -EACCES:
	case -EPERM:
		return "only root, and the user that the link runs as, may ask it";
	case -EPROTONOSUPPORT:
		return "the link runs another version of vpnd: restart it";
	default:
		return strerror(-link->error);
	}
}

static void print_drops(FILE *stream, const struct show_style *style,
			const struct status_answer *link)
{
	char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (enum counter i = 0; i < N_COUNTERS; i++) {
		long long n =
			json_integer_value(json_object_get(link->drops, status_counter_key(i)));
		int more;

		if (n == 0)
			continue;
		more = snprintf(text + len, sizeof(text) - len, "%s%lld %s", len ? "; " : "", n,
				status_counter_text(i));
		len = MIN(len + (size_t)MAX(more, 0), sizeof(text) - 1);
	}
	if (len == 0)
		return;
	print_label(stream, "dropped");
	print_wrapped(stream, style, VALUE_INDENT, text);
}

static void print_session(FILE *stream, const struct status_answer *link)
{
	char age[SHOW_TEXT_MAX];

	print_label(stream, "session");
	if (!link->has_handshake) {
		fputs("no handshake yet\n", stream);
		return;
	}
	fprintf(stream, "%s, handshake %s ago", link->cipher ? link->cipher : "keys erased",
		show_duration(link->handshake_age, age));
	if (link->handshake_duration > 0)
		fprintf(stream, ", took %.1f ms", link->handshake_duration * 1000);
	fputc('\n', stream);
}

static void print_traffic(FILE *stream, const struct status_answer *link,
			  const struct show_rates *rates)
{
	char bytes[SHOW_TEXT_MAX], rate[SHOW_TEXT_MAX], percent[SHOW_TEXT_MAX];
	bool has_rates = rates && rates->is_known;

	print_label(stream, "received");
	fprintf(stream, "%s%s%s, %lld packets, lost on the way: %lld (%s)\n",
		show_bytes((double)link->rx_bytes, bytes), has_rates ? ", " : "",
		has_rates ? show_bits(rates->rx_bits, rate) : "", link->rx_packets, link->n_lost,
		loss(link, percent));
	print_label(stream, "sent");
	fprintf(stream, "%s%s%s, %lld packets\n", show_bytes((double)link->tx_bytes, bytes),
		has_rates ? ", " : "", has_rates ? show_bits(rates->tx_bits, rate) : "",
		link->tx_packets);
}

void show_link(FILE *stream, const struct show_style *style, const struct status_answer *link,
	       const struct show_rates *rates)
{
	char age[SHOW_TEXT_MAX], why[EXPLAIN_MAX];

	fprintf(stream, "%s%s%s: %s%s%s", colour(style, BOLD), link->name, colour(style, PLAIN),
		colour(style, colour_of(link)),
		link->error ? status_ask_error(link->error) : link->state_text,
		colour(style, PLAIN));
	if (link->error) {
		fprintf(stream, "\n%*s", INDENT, "");
		print_wrapped(stream, style, INDENT, explain(link, why));
		return;
	}
	fprintf(stream, " for %s\n", show_duration(link->state_seconds, age));
	print_label(stream, "peer");
	if (link->peer_key[0])
		fprintf(stream, "%s\n%*sat %s\n", link->peer_key, VALUE_INDENT, "",
			link->endpoint ? link->endpoint : "an address not known yet");
	else
		fputs("no peer; `wg set` gives it one\n", stream);
	print_session(stream, link);
	print_traffic(stream, link, rates);
	print_label(stream, "interface");
	fprintf(stream, "MTU %lld, UDP port %lld\n", link->mtu, link->listen_port);
	if (link->is_tap) {
		print_label(stream, "mode");
		fputs("tap, for Ethernet frames\n", stream);
	}
	print_drops(stream, style, link);
	if (link->trouble) {
		print_label(stream, "trouble");
		print_trouble(stream, style, link, VALUE_INDENT);
	}
}

void show_head(FILE *stream, const struct show_style *style)
{
	fprintf(stream, "%s%-15s %-18s %-12s %11s %11s %8s%s\n", colour(style, BOLD), "LINK",
		"STATE", "FOR", "RECEIVED", "SENT", "LOSS", colour(style, PLAIN));
}

/* The second line of a row, or a third where the address is long. */
static void print_peer(FILE *stream, const struct show_style *style,
		       const struct status_answer *link)
{
	char age[SHOW_TEXT_MAX] = "", text[256];

	if (link->has_handshake)
		show_duration(link->handshake_age, age);
	snprintf(text, sizeof(text), "%s%s%s%s%s%s",
		 link->endpoint ? link->endpoint : "peer not found", link->cipher ? ", " : "",
		 link->cipher ? link->cipher : "", age[0] ? ", handshake " : "", age,
		 age[0] ? " ago" : "");
	fprintf(stream, "%*s", INDENT, "");
	print_wrapped(stream, style, INDENT, text);
}

void show_row(FILE *stream, const struct show_style *style, const struct status_answer *link,
	      const struct show_rates *rates)
{
	char age[SHOW_TEXT_MAX], rx[SHOW_TEXT_MAX], tx[SHOW_TEXT_MAX], percent[SHOW_TEXT_MAX];
	char why[EXPLAIN_MAX];
	bool has_rates = rates && rates->is_known;

	fprintf(stream, "%s%-15s%s %s%-18s%s", colour(style, BOLD), link->name,
		colour(style, PLAIN), colour(style, colour_of(link)),
		link->error ? status_ask_error(link->error) : link->state_text,
		colour(style, PLAIN));
	if (link->error) {
		fputc('\n', stream);
		if (link->error != -ENOENT) {
			fprintf(stream, "%*s", INDENT, "");
			print_wrapped(stream, style, INDENT, explain(link, why));
		}
		return;
	}
	if (has_rates) {
		show_bits(rates->rx_bits, rx);
		show_bits(rates->tx_bits, tx);
	} else {
		show_bytes((double)link->rx_bytes, rx);
		show_bytes((double)link->tx_bytes, tx);
	}
	fprintf(stream, " %-12s %11s %11s %8s\n", show_duration(link->state_seconds, age), rx, tx,
		loss(link, percent));
	print_peer(stream, style, link);
	if (link->trouble && !link->is_trouble_over &&
	    (strcmp(link->state, "up") != 0 || link->trouble_age < TROUBLE_RECENT_SECONDS)) {
		fprintf(stream, "%*s", INDENT, "");
		print_trouble(stream, style, link, INDENT);
	}
}
