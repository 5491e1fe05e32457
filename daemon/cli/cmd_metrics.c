/*
 * `vpnd metrics`: the figures of all links of this host, for Prometheus and what is like it.
 *
 * Without an option it writes OpenMetrics 1.0, with --prometheus the older text format 0.0.4. With
 * --http it answers one request of HTTP on stdin and stdout, in the format that is asked for: so a
 * socket unit of systemd makes an exporter of it, and nothing runs while nobody asks.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nsec.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/metrics_text.h"
#include "daemon/ctl/status_server.h"

/* Of a request's head, and how long it may take. */
#define REQUEST_MAX     8192
#define REQUEST_SECONDS 5

/* Returns 0 or a negative errno. \param code  that the links' answers stand for */
static int print_metrics(FILE *stream, enum metrics_format format, enum exit_code *code)
{
	struct status_answers links;
	int r = status_ask_all(STATUS_DIR, PATHS_CONF_DIR, &links);

	if (r < 0) {
		fprintf(stderr, "vpnd: cannot look for links in " STATUS_DIR ": %s\n",
			strerror(-r));
		return r;
	}
	metrics_print(stream, format, &links);
	*code = status_ask_code(&links, true);
	status_answers_deinit(&links);
	return 0;
}

/* Reads a head up to its empty line. \return false when none came in time */
static bool read_head(char head[static REQUEST_MAX])
{
	nsec_t end = nsec_boottime() + REQUEST_SECONDS * NSEC_PER_SEC;
	size_t len = 0;

	head[0] = '\0';
	while (len < REQUEST_MAX - 1) {
		struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
		nsec_t now = nsec_boottime();
		ssize_t n;

		if (now >= end || poll(&input, 1, (int)((end - now) / NSEC_PER_MSEC) + 1) <= 0)
			return false;
		n = read(STDIN_FILENO, head + len, REQUEST_MAX - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
		if (strstr(head, "\r\n\r\n") || strstr(head, "\n\n"))
			return true;
	}
	return false;
}

static void answer(const char *status, const char *type, const char *body, size_t len)
{
	printf("HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
	       "close\r\n\r\n",
	       status, type, len);
	fwrite(body, 1, len, stdout);
}

static void refuse(const char *status, const char *sentence)
{
	answer(status, "text/plain; charset=utf-8", sentence, strlen(sentence));
}

/* Whoever asks over HTTP reads in the figures what is wrong with a link. */
static int answer_metrics(const char *head)
{
	enum metrics_format format = metrics_format_of(head);
	enum exit_code code;
	char *body = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&body, &len);
	int r = stream ? print_metrics(stream, format, &code) : -ENOMEM;

	if (stream && fclose(stream) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		answer("200 OK", metrics_content_type(format), body, len);
	else
		refuse("500 Internal Server Error", "The links cannot be asked.\n");
	free(body);
	return r;
}

static int serve_http(void)
{
	char head[REQUEST_MAX];
	int r = 0;

	if (!read_head(head))
		refuse("408 Request Timeout", "No request came.\n");
	else if (strncmp(head, "GET ", 4) != 0)
		refuse("405 Method Not Allowed", "Only GET is served here.\n");
	else if (strncmp(head + 4, "/metrics", 8) != 0 || !strchr(" ?", head[12]))
		refuse("404 Not Found", "The figures are at /metrics.\n");
	else
		r = answer_metrics(head);
	return r;
}

int cmd_metrics(int argc, char **argv)
{
	static const char usage[] = "metrics [--prometheus | --http]";
	static const struct option options[] = {
		{ "prometheus", no_argument, NULL, 'p' },
		{ "http", no_argument, NULL, 'h' },
		{ 0 },
	};
	enum metrics_format format = METRICS_OPENMETRICS;
	enum exit_code code = EXIT_DONE;
	bool is_http = false;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			format = METRICS_PROMETHEUS;
		else if (option == 'h')
			is_http = true;
		else
			return cmd_usage(usage);
	}
	if (optind < argc || (is_http && format != METRICS_OPENMETRICS))
		return cmd_usage(usage);
	r = is_http ? serve_http() : print_metrics(stdout, format, &code);
	if (r < 0)
		code = r == -EACCES ? EXIT_PERMISSION : EXIT_SYSTEM;
	return fflush(stdout) == 0 ? (int)code : EXIT_SYSTEM;
}
