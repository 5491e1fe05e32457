/*
 * `vpnd show --watch`; see show_watch.h. A frame is made in memory and written at once, over the
 * one before, so nothing flickers; what does not fit the screen is left out at its end.
 */
#include "daemon/cli/show_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/nsec.h"
#include "daemon/cli/show_text.h"

#define ENTER_SCREEN "\033[?1049h\033[?25l"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"
#define ROWS_MIN     4

/* What a link had carried at the last look. */
struct past {
	char name[IFNAMSIZ];
	long long rx_bytes, tx_bytes;
};

struct watch {
	const char *dir, *conf_dir, *name;
	struct show_style style;
	unsigned int rows;
	struct past *past; /* owned */
	size_t n_past;
	nsec_t past_when;
	struct termios saved;
	bool has_saved;
};

static volatile sig_atomic_t is_ended;

static void on_end(int number)
{
	(void)number;
	is_ended = 1;
}

/* Only to end a wait. */
static void on_resize(int number)
{
	(void)number;
}

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* Keys come at once and are not shown; Ctrl-C still is a signal, Ctrl-Z would leave a mess. */
static void enter_screen(struct watch *watch)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &watch->saved) == 0) {
		watch->has_saved = true;
		raw = watch->saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VSUSP] = _POSIX_VDISABLE;
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	write_all(ENTER_SCREEN, strlen(ENTER_SCREEN));
}

static void leave_screen(const struct watch *watch)
{
	write_all(LEAVE_SCREEN, strlen(LEAVE_SCREEN));
	if (watch->has_saved)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &watch->saved);
}

static void measure(struct watch *watch)
{
	struct winsize size;

	watch->style.columns = 80;
	watch->rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_col > 0)
		watch->style.columns = size.ws_col;
	if (size.ws_row >= ROWS_MIN)
		watch->rows = size.ws_row;
}

static struct show_rates rates_of(const struct watch *watch, const struct status_answer *link,
				  nsec_t now)
{
	double seconds = (double)(now - watch->past_when) / (double)NSEC_PER_SEC;
	struct show_rates rates = { 0 };

	for (size_t i = 0; i < watch->n_past && link->error == 0 && seconds > 0; i++) {
		const struct past *past = &watch->past[i];

		/* Less than before: the link was restarted. */
		if (strcmp(past->name, link->name) != 0 || past->rx_bytes > link->rx_bytes ||
		    past->tx_bytes > link->tx_bytes)
			continue;
		rates.rx_bits = (double)(link->rx_bytes - past->rx_bytes) * 8 / seconds;
		rates.tx_bits = (double)(link->tx_bytes - past->tx_bytes) * 8 / seconds;
		rates.is_known = true;
	}
	return rates;
}

static void remember(struct watch *watch, const struct status_answers *links, nsec_t now)
{
	struct past *past = calloc(MAX(links->n, 1), sizeof(*past));

	free(watch->past);
	watch->past = past;
	watch->n_past = 0;
	watch->past_when = now;
	for (size_t i = 0; past && i < links->n; i++) {
		const struct status_answer *link = &links->items[i];

		if (link->error)
			continue;
		memcpy(past[watch->n_past].name, link->name, sizeof(link->name));
		past[watch->n_past].rx_bytes = link->rx_bytes;
		past[watch->n_past].tx_bytes = link->tx_bytes;
		watch->n_past++;
	}
}

static void print_links(FILE *stream, const struct watch *watch, const struct status_answers *links,
			nsec_t now)
{
	char clock[16];
	struct timespec wallclock = nsec_wallclock();
	struct tm tm;

	localtime_r(&wallclock.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	fprintf(stream, "%s   %zu link%s, every second; q ends\n\n", clock, links->n,
		links->n == 1 ? "" : "s");
	if (links->n > 1)
		show_head(stream, &watch->style);
	for (size_t i = 0; i < links->n; i++) {
		const struct status_answer *link = &links->items[i];
		struct show_rates rates = rates_of(watch, link, now);

		if (links->n > 1)
			show_row(stream, &watch->style, link, &rates);
		else
			show_link(stream, &watch->style, link, &rates);
	}
}

/* Writes a frame over the one before: each line is cleared behind its end. */
static void write_frame(const struct watch *watch, const char *text)
{
	unsigned int row = 0;
	char *frame = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&frame, &len);

	if (!stream)
		return;
	fputs("\033[H", stream);
	while (*text && row + 1 < watch->rows) {
		size_t n = strcspn(text, "\n");

		fprintf(stream, "%.*s\033[K\r\n", (int)n, text);
		text += n + (text[n] == '\n');
		row++;
	}
	fputs("\033[J", stream);
	if (fclose(stream) == 0)
		write_all(frame, len);
	free(frame);
}

static int ask(const struct watch *watch, struct status_answers *ret)
{
	if (!watch->name)
		return status_ask_all(watch->dir, watch->conf_dir, ret);
	ret->n = 0;
	ret->items = calloc(1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	status_ask(watch->dir, watch->name, &ret->items[0]);
	ret->n = 1;
	return 0;
}

/* \return 0 or a negated errno value */
static int draw(struct watch *watch)
{
	struct status_answers links;
	int r = ask(watch, &links);
	nsec_t now = nsec_boottime();
	char *text = NULL;
	size_t len = 0;
	FILE *stream;

	if (r < 0)
		return r;
	measure(watch);
	stream = open_memstream(&text, &len);
	if (stream) {
		print_links(stream, watch, &links, now);
		if (fclose(stream) == 0)
			write_frame(watch, text);
		free(text);
	}
	remember(watch, &links, now);
	status_answers_deinit(&links);
	return stream ? 0 : -ENOMEM;
}

/* Waits for the next second or a key. \return false when it is time to end */
static bool wait_a_second(const sigset_t *while_waiting)
{
	const struct timespec second = { .tv_sec = 1 };
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int n = isatty(STDIN_FILENO) ? 1 : 0;
	char key;

	/* A resize ends the wait, which draws anew. */
	if (ppoll(&input, (nfds_t)n, &second, while_waiting) <= 0)
		return !is_ended;
	while (read(STDIN_FILENO, &key, 1) == 1) {
		if (key == 'q' || key == 'Q')
			return false;
	}
	return !is_ended && !(input.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* Signals come only while it waits, so none is missed. */
static void catch_signals(sigset_t *while_waiting)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_end };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		sigaction(ends[i], &action, NULL);
		sigaddset(&held, ends[i]);
	}
	action.sa_handler = on_resize;
	sigaction(SIGWINCH, &action, NULL);
	sigaddset(&held, SIGWINCH);
	sigprocmask(SIG_BLOCK, &held, while_waiting);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigdelset(while_waiting, ends[i]);
	sigdelset(while_waiting, SIGWINCH);
}

enum exit_code show_watch(const char *dir, const char *conf_dir, const char *name, bool colours)
{
	struct watch watch = {
		.dir = dir,
		.conf_dir = conf_dir,
		.name = name,
		.style.has_colours = colours,
	};
	sigset_t while_waiting;
	int r;

	if (!isatty(STDOUT_FILENO)) {
		fputs("vpnd: `vpnd show --watch` needs a terminal; for a program there is "
		      "--json\n",
		      stderr);
		return EXIT_USAGE;
	}
	catch_signals(&while_waiting);
	enter_screen(&watch);
	do
		r = draw(&watch);
	while (r == 0 && wait_a_second(&while_waiting));
	leave_screen(&watch);
	free(watch.past);
	if (r < 0)
		fprintf(stderr, "vpnd: cannot look for links in %s: %s\n", dir, strerror(-r));
	return r < 0 ? EXIT_SYSTEM : EXIT_DONE;
}
