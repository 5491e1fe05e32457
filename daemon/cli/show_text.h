/*
 * What `vpnd show` prints: links for people, within a terminal's width. Text goes in and out, so
 * that a test can look at it.
 */
#ifndef CLI_SHOW_TEXT_H
#define CLI_SHOW_TEXT_H

#include <stdio.h>

#include "daemon/cli/status_ask.h"

/* How it is printed. */
struct show_style {
	bool has_colours;
	unsigned int columns; /* width that lines are to stay within; at least 80 are used */
};

/* What two looks at a link tell, for --watch. */
struct show_rates {
	double rx_bits, tx_bits; /* a second */
	bool is_known;
};

/*! Prints one link with everything worth knowing, some ten lines. \param rates  or NULL */
void show_link(FILE *stream, const struct show_style *style, const struct status_answer *link,
	       const struct show_rates *rates);

/*! Prints the head of the table of links. */
void show_head(FILE *stream, const struct show_style *style);

/*! Prints one link of the table: a line of figures, one about its peer, and its trouble. */
void show_row(FILE *stream, const struct show_style *style, const struct status_answer *link,
	      const struct show_rates *rates);

/* Room for the texts below. */
#define SHOW_TEXT_MAX 48

/*! "45 s", "3 min 5 s", "3 h 12 min", "5 d 3 h". */
const char *show_duration(double seconds, char buf[static SHOW_TEXT_MAX]);

/*! "812 B", "1.20 GiB". */
const char *show_bytes(double bytes, char buf[static SHOW_TEXT_MAX]);

/*! "120 Mbit/s". */
const char *show_bits(double bits, char buf[static SHOW_TEXT_MAX]);

#endif
