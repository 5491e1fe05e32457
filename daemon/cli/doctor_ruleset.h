/*
 * What a packet filter does to one UDP port, as far as its rules name it: pure, from what
 * `nft -j list ruleset` prints (libnftables-json(5)).
 *
 * This is no emulation. Jumps, maps and marks are not followed: a chain counts with all rules of
 * its table, and what has parts that are not understood is "not known".
 */
#ifndef CLI_DOCTOR_RULESET_H
#define CLI_DOCTOR_RULESET_H

#include <jansson.h>
#include <stdint.h>

/* Worse ones are greater. */
enum ruleset_answer {
	RULESET_OPEN,   /* no rule hinders it */
	RULESET_OPAQUE, /* there are rules that are not understood, in a chain that drops the rest
			 */
	RULESET_CLOSED, /* a chain drops what no rule lets pass, and no rule names the port */
	RULESET_SOMETIMES, /* a rule drops it under further conditions */
	RULESET_DROPPED,   /* a rule drops it */
};

#define RULESET_PLACE_MAX 128

/*!
 * Judges by the destination port.
 * \param ruleset  the whole document
 * \param hook     "input" or "output"
 * \param port     1 to 65535
 * \param place    set to "table inet filter, chain input" for anything but RULESET_OPEN
 */
enum ruleset_answer ruleset_judge(const json_t *ruleset, const char *hook, uint16_t port,
				  char place[static RULESET_PLACE_MAX]);

#endif
