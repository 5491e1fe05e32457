/*
 * `vpnd doctor`: finds out why a link does not work.
 *
 * A table of checks (cmd_doctor.c) is worked through from the file to the far end, also where an
 * earlier one has found something: each is a function that looks at one thing and says what it has
 * found. At the end the worst finding is the verdict. Nothing is changed; what goes out are a few
 * echo requests and one empty datagram to the peer.
 *
 *   doctor.c            findings, how they are printed, the verdict
 *   doctor_file.c       the link file, and whether it is what runs
 *   doctor_host.c       device, ciphers, clock, service
 *   doctor_interface.c  interface, addresses, routes into the link
 *   doctor_underlay.c   where the peer is, and the way there
 *   doctor_port.c       the UDP port and who has it
 *   doctor_firewall.c   this host's packet filter
 *   doctor_others.c     other links of this host
 *   doctor_session.c    what the running link knows
 *   doctor_reach.c      whether the peer answers, outside and inside the link
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/defs.h"
#include "conf/host_model.h"
#include "conf/model.h"
#include "daemon/cli/status_ask.h"
#include "daemon/host/nl.h"

/* Worse ones are greater. */
enum doctor_level {
	DOCTOR_OK,
	DOCTOR_NOTE,    /* worth knowing, or what could not be looked at */
	DOCTOR_WARN,    /* may be the reason */
	DOCTOR_SYMPTOM, /* is wrong, and something else is the reason */
	DOCTOR_FAIL,    /* is wrong */
	DOCTOR_N_LEVELS,
};

struct doctor_finding {
	const char *check; /* which one has found it */
	enum doctor_level level;
	char *text;   /* a sentence without a full stop; owned */
	char *advice; /* what to do, a sentence; owned; NULL: nothing */
};

/* All zero is none; doctor_findings_deinit() frees them. */
struct doctor_findings {
	struct doctor_finding *items;
	size_t n;
};

/* Addresses that Endpoint stands for. */
#define DOCTOR_REMOTES_MAX 16

/* What the checks look at, and what they find out for each other. */
struct doctor {
	char path[PATH_MAX];
	char name[IFNAMSIZ];
	const char *host_path;
	bool is_root;

	struct conf_host host;
	struct conf_link conf;
	bool has_conf; /* the file could be read and used */

	struct status_answer status; /* of the running link */
	bool is_running;
	uint32_t mark; /* on the link's own packets; 0: none, or not known */

	struct netlink nl;       /* in this network namespace; closed: not to be had */
	struct netlink inner_nl; /* where the interface is, if elsewhere */
	unsigned int ifindex;    /* of the interface; 0: there is none */
	unsigned int mtu;        /* of the interface */

	union netaddr remotes[DOCTOR_REMOTES_MAX]; /* where the peer may be, the one in use first */
	size_t n_remotes;

	const char *check;    /* the one that runs */
	bool is_only_suspect; /* what it finds wrong does not tell why the link is not running */
	struct doctor_findings findings;
};

/*!
 * Adds a finding of the check that runs.
 * \param advice  a sentence that says what to do, copied; NULL: nothing
 * \param format  a sentence without a full stop; "%%" has to be spelt as for printf
 */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *advice,
		const char *format, ...) printf_like(4, 5);

/* Room for an advice that has values in it. */
#define DOCTOR_ADVICE_MAX 512

/*! \return the findings' verdict: the first of the worst ones; NULL when there is nothing worse
 * than a note */
const struct doctor_finding *doctor_verdict(const struct doctor_findings *findings);

/*! \return the first warning that may explain a worse verdict; NULL when there is none */
const struct doctor_finding *doctor_suspect(const struct doctor_findings *findings);

/*! Prints the findings and the verdict for people. \param has_colours  on a terminal */
void doctor_print(const struct doctor *doctor, bool has_colours, FILE *stream);

/*! Prints them as one JSON object: { version (1), link, running, verdict, findings: [ { check,
 * level, text, advice } ] }; level is ok, note, warning or failure. */
void doctor_print_json(const struct doctor *doctor, FILE *stream);

/*! Frees the findings; safe twice. */
void doctor_findings_deinit(struct doctor_findings *findings);

/*! A number of the running link's counters. \param group  "messages" or "drops" */
long long doctor_count(const struct status_answer *status, const char *group, const char *key);

/*! The socket that asks where the interface is: its own namespace, or this one. */
struct netlink *doctor_inner_nl(struct doctor *doctor);

/*! An interface's name for a sentence; "?" when it has none. \param name  is filled */
const char *doctor_interface_name(struct netlink *nl, unsigned int ifindex,
				  char name[static IFNAMSIZ]);

/* The checks. What each is about is said in the table in cmd_doctor.c. */

/*! The link file and the host file, as `vpnd check` has them. */
void doctor_check_file(struct doctor *doctor);

/*! Whether a reload would change something. */
void doctor_check_reload(struct doctor *doctor);

/*! The TUN device. */
void doctor_check_device(struct doctor *doctor);

/*! Whether this host has the Cipher that the file asks for. */
void doctor_check_cipher(struct doctor *doctor);

/*! The wall clock: the peer believes no initiation that is older than the last. */
void doctor_check_clock(struct doctor *doctor);

/*! Whether the link runs, and what systemd knows if not. */
void doctor_check_service(struct doctor *doctor);

/*! The interface, its addresses, and its MTU. */
void doctor_check_interface(struct doctor *doctor);

/*! AllowedIPs: whether they make sense, and whether they are routed into the link. */
void doctor_check_routes(struct doctor *doctor);

/*! Source checks of the kernel (rp_filter) that drop what the link carries. */
void doctor_check_sources(struct doctor *doctor);

/*! Names in Endpoint. */
void doctor_check_endpoint(struct doctor *doctor);

/*! The way to the peer: whether there is one, not through the link itself, wide enough. */
void doctor_check_way(struct doctor *doctor);

/*! Whether this end is behind a NAT and lets it forget the link. */
void doctor_check_nat(struct doctor *doctor);

/*! The UDP port, and who has it. */
void doctor_check_port(struct doctor *doctor);

/*! This host's packet filter. */
void doctor_check_firewall(struct doctor *doctor);

/*! Other links of this host that get in the way. */
void doctor_check_others(struct doctor *doctor);

/*! Whether the peer's host answers outside of the link. */
void doctor_check_peer(struct doctor *doctor);

/*! What the running link says of its session. */
void doctor_check_session(struct doctor *doctor);

/*! What the running link dropped. */
void doctor_check_drops(struct doctor *doctor);

/*! Whether the peer answers inside the link. */
void doctor_check_inside(struct doctor *doctor);

#endif
