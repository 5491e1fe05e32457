/*
 * The figures of links in the formats of monitoring systems.
 *
 * Names that begin with "wireguard_" are those of the exporters for WireGuard and mean the same;
 * what only vpnd knows begins with "vpnd_". Labels: interface, and public_key (the peer's).
 */
#ifndef CLI_METRICS_TEXT_H
#define CLI_METRICS_TEXT_H

#include <stdio.h>

#include "daemon/cli/status_ask.h"

enum metrics_format {
	METRICS_OPENMETRICS, /* OpenMetrics 1.0, ends with "# EOF" */
	METRICS_PROMETHEUS,  /* Prometheus' text format 0.0.4 */
};

/*! Prints all figures of all links; of one that does not run, or may not be asked, only that. */
void metrics_print(FILE *stream, enum metrics_format format, const struct status_answers *links);

/*! The format that the head of a request of HTTP asks for, by its Accept lines. */
enum metrics_format metrics_format_of(const char *head);

/*! For the answer's Content-Type. */
const char *metrics_content_type(enum metrics_format format);

#endif
