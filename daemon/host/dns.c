/* Calling resolvectl(1) and resolvconf(8); see dns.h. */
#include "daemon/host/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/program.h"

enum {
	N_FIXED_WORDS = 5, /* of a command beside servers and domains */
	/* systemd-resolved hears of a new interface a moment later than we. */
	KNOWN_TRIES = 10,
	KNOWN_PAUSE_MS = 100,
};

#define LIMIT (5 * NSEC_PER_SEC)

/* What stands between a program and its success. */
enum obstacle {
	OBSTACLE_ABSENT,  /* it is not installed */
	OBSTACLE_REFUSED, /* whoever keeps the servers takes none from this user */
	OBSTACLE_OTHER,
};

/* Why a program did not do it; two of these texts fit into a warning. */
struct failure {
	enum obstacle obstacle;
	char text[128];
};

static const char *const environment[] = { "PATH=" PROGRAM_PATH, "LC_ALL=C", NULL };

/* One call of a program. */
struct call {
	const struct dns_tools *tools;
	const char *words[CONF_DNS_MAX + N_FIXED_WORDS + 1];
	size_t n_words;
	const char *input;
	char last_line[PROGRAM_LINE_MAX]; /* of its output: usually the error */
};

static void keep_line(void *context, const char *line)
{
	struct call *call = context;

	snprintf(call->last_line, sizeof(call->last_line), "%s", line);
}

static void add_word(struct call *call, const char *word)
{
	if (call->n_words < ARRAY_SIZE(call->words) - 1)
		call->words[call->n_words++] = word;
}

/*
 * What resolvectl(1) says for systemd-resolved, which asks polkit about everybody but root:
 * "Interactive authentication required." of polkit's no, "Access denied" without polkit, or why
 * that cannot be started. resolvconf(8) are scripts that write files of root.
 */
static bool is_refusal(const char *line)
{
	static const char *const words[] = { "uthentication", "ccess denied", "ermission denied",
					     "olkit", "PolicyKit" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

/* Runs the call; false with the reason when it does not succeed. */
static bool run(struct call *call, struct failure *failure)
{
	nsec_t limit = call->tools->limit != 0 ? call->tools->limit : LIMIT;
	const char *path = call->tools->path ? call->tools->path : PROGRAM_PATH;
	char program[PATH_MAX], how[80];
	struct program_result result;
	struct program_job job = {
		.argv = call->words,
		.envp = environment,
		.input = call->input,
		.input_len = call->input ? strlen(call->input) : 0,
		.limit = limit,
		.watch = call->tools->watch,
		.say = keep_line,
		.context = call,
	};
	int error;

	if (!program_find(path, call->words[0], program, sizeof(program))) {
		*failure = (struct failure) { OBSTACLE_ABSENT, "it is not installed" };
		return false;
	}
	call->words[0] = program;
	error = program_run(&job, &result);
	if (error == 0 && result.end == PROGRAM_EXITED && result.status == 0)
		return true;
	failure->obstacle = OBSTACLE_OTHER;
	if (error < 0) {
		snprintf(failure->text, sizeof(failure->text), "it cannot be run: %s",
			 strerror_r(-error, how, sizeof(how)));
	} else if (is_refusal(call->last_line)) {
		*failure = (struct failure) { OBSTACLE_REFUSED, "this user may not do that" };
	} else {
		snprintf(failure->text, sizeof(failure->text), "it %s%s%.60s",
			 program_end_text(&result, limit, how, sizeof(how)),
			 call->last_line[0] ? ": " : "", call->last_line);
	}
	return false;
}

/* Anything but an address is a search domain. */
static bool is_server(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1 || inet_pton(AF_INET6, text, &addr) == 1;
}

static size_t add_words(struct call *call, const struct conf_strings *dns, bool servers)
{
	size_t n = 0;

	for (size_t i = 0; i < dns->n; i++) {
		if (is_server(dns->items[i]) == servers) {
			add_word(call, dns->items[i]);
			n++;
		}
	}
	return n;
}

/* One command of resolvectl(1) about the link. */
static struct call begin_resolved(const struct dns_tools *tools, const char *verb, const char *link)
{
	return (struct call) { .tools = tools,
			       .words = { "resolvectl", verb, link },
			       .n_words = 3 };
}

/* The servers; an empty word clears the list. */
static bool set_servers(const struct dns_tools *tools, const char *link,
			const struct conf_strings *dns, struct failure *failure)
{
	for (int i = 0; i < KNOWN_TRIES; i++) {
		struct call call = begin_resolved(tools, "dns", link);

		if (add_words(&call, dns, true) == 0)
			add_word(&call, "");
		if (run(&call, failure))
			return true;
		if (!strstr(call.last_line, "not known"))
			return false;
		poll(NULL, 0, KNOWN_PAUSE_MS);
	}
	return false;
}

/* In systemd-resolved's notation: names in it are asked for at the link's servers, and it is not
 * searched. */
static bool is_routing_domain(const char *text)
{
	return text[0] == '~';
}

static bool has_routing_domain(const struct conf_strings *dns)
{
	for (size_t i = 0; i < dns->n; i++) {
		if (is_routing_domain(dns->items[i]))
			return true;
	}
	return false;
}

/* The domains; with servers also "~.", which makes the servers everybody's, unless the file says
 * what they are for. */
static bool set_domains(const struct dns_tools *tools, const char *link,
			const struct conf_strings *dns, struct failure *failure)
{
	struct call call = begin_resolved(tools, "domain", link);
	size_t n_domains = add_words(&call, dns, false);

	if (n_domains < dns->n && !has_routing_domain(dns))
		add_word(&call, "~.");
	return run(&call, failure);
}

static bool tell_resolved(const struct dns_tools *tools, const char *link,
			  const struct conf_strings *dns, struct failure *failure)
{
	struct call revert = begin_resolved(tools, "revert", link);
	struct failure ignored;

	if (!set_servers(tools, link, dns, failure))
		return false;
	if (set_domains(tools, link, dns, failure))
		return true;
	(void)run(&revert, &ignored);
	return false;
}

/*
 * The name of our record: Debian's resolvconf ranks records by name, and the first pattern of its
 * list that is a plain word with a star is the best rank to be had, for example "tun.site-a".
 */
static void name_record(const struct dns_tools *tools, const char *link,
			char record[static UNDO_RECORD_MAX])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";
	FILE *file = fopen(tools->order_file ? tools->order_file : DNS_ORDER_FILE, "re");
	char line[UNDO_RECORD_MAX];

	snprintf(record, UNDO_RECORD_MAX, "%s", link);
	while (file && fgets(line, sizeof(line), file)) {
		size_t len = strspn(line, allowed);

		if (len == 0 || len > 32 || line[len] != '*' || line[0] == '-' ||
		    (line[len + 1] != '\n' && line[len + 1] != '\0'))
			continue;
		snprintf(record, UNDO_RECORD_MAX, "%.*s.%s", (int)len, line, link);
		break;
	}
	if (file)
		fclose(file);
}

/* What resolvconf(8) reads: lines as in resolv.conf(5). */
static bool write_record(const struct conf_strings *dns, char *text, size_t size)
{
	size_t len = 0;
	bool has_search = false;

	for (size_t i = 0; i < dns->n && len < size; i++) {
		if (is_server(dns->items[i]))
			len += (size_t)snprintf(text + len, size - len, "nameserver %s\n",
						dns->items[i]);
	}
	for (size_t i = 0; i < dns->n && len < size; i++) {
		const char *domain = dns->items[i] + (is_routing_domain(dns->items[i]) ? 1 : 0);

		/* All servers are for every name here: of "~." nothing is left. */
		if (is_server(domain) || strcmp(domain, ".") == 0)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s",
					has_search ? " " : "search ", domain);
		has_search = true;
	}
	if (has_search && len < size)
		len += (size_t)snprintf(text + len, size - len, "\n");
	return len < size;
}

static bool tell_resolvconf(const struct dns_tools *tools, const struct conf_strings *dns,
			    const char *record, struct failure *failure)
{
	char text[4096];
	struct call call = {
		.tools = tools,
		.words = { "resolvconf", "-a", record, "-m", "0", "-x" },
		.n_words = 6,
		.input = text,
	};

	if (!write_record(dns, text, sizeof(text))) {
		*failure = (struct failure) { OBSTACLE_OTHER, "the list is too long for it" };
		return false;
	}
	return run(&call, failure);
}

/* What an administrator can do about it. */
static const char *advice(const struct failure *resolved, const struct failure *resolvconf)
{
	switch (resolved->obstacle) {
	case OBSTACLE_REFUSED:
		return "let polkitd run and find vpnd.rules, which allows it to user vpnd";
	case OBSTACLE_OTHER:
		return "see to it that systemd-resolved runs";
	case OBSTACLE_ABSENT:
		break;
	}
	/* Nobody but root may use resolvconf. */
	if (geteuid() != 0)
		return "install systemd-resolved and polkitd";
	return resolvconf->obstacle == OBSTACLE_ABSENT
		       ? "install systemd-resolved or resolvconf"
		       : "mend resolvconf, or install systemd-resolved";
}

int dns_set(const struct dns_tools *tools, const char *link, const struct conf_strings *dns,
	    struct undo *undo, char text[static DNS_TEXT_MAX])
{
	struct failure by_resolved, by_resolvconf;
	char record[UNDO_RECORD_MAX];

	text[0] = '\0';
	if (dns->n == 0)
		return 0;
	if (tell_resolved(tools, link, dns, &by_resolved)) {
		undo->dns = UNDO_DNS_RESOLVED;
		return 0;
	}
	name_record(tools, link, record);
	if (tell_resolvconf(tools, dns, record, &by_resolvconf)) {
		undo->dns = UNDO_DNS_RESOLVCONF;
		memcpy(undo->record, record, sizeof(record));
		return 0;
	}
	snprintf(text, DNS_TEXT_MAX,
		 "the name servers of the link file are not used (resolvectl: %s; resolvconf: %s): "
		 "%s, or take DNS out and set them yourself",
		 by_resolved.text, by_resolvconf.text, advice(&by_resolved, &by_resolvconf));
	return DNS_NOT_SET;
}

int dns_unset(const struct dns_tools *tools, const char *link, struct undo *undo,
	      char text[static DNS_TEXT_MAX])
{
	struct failure failure;
	struct call revert = begin_resolved(tools, "revert", link);
	struct call forget = { .tools = tools,
			       .words = { "resolvconf", "-d", undo->record, "-f" },
			       .n_words = 4 };
	enum undo_dns who = undo->dns;
	bool ok = true;

	text[0] = '\0';
	if (who == UNDO_DNS_RESOLVED)
		ok = run(&revert, &failure);
	else if (who == UNDO_DNS_RESOLVCONF)
		ok = run(&forget, &failure);
	undo->dns = UNDO_DNS_NONE;
	undo->record[0] = '\0';
	if (ok)
		return 0;
	snprintf(text, DNS_TEXT_MAX, "the name servers of the link were not taken back: %s %s",
		 who == UNDO_DNS_RESOLVED ? "resolvectl:" : "resolvconf:", failure.text);
	return DNS_NOT_SET;
}
