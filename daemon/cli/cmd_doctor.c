/*
 * `vpnd doctor`: finds out why a link does not work. The checks are the table below; see doctor.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/host_file.h"
#include "conf/paths.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/doctor.h"
#include "daemon/cli/terminal.h"
#include "daemon/ctl/status_server.h"
#include "daemon/host/netns.h"
#include "daemon/host/policy.h"

/* In the order of what depends on what: of several reasons the first is the verdict. */
static const struct check {
	const char *name;
	void (*run)(struct doctor *doctor);
	bool hinders_start; /* what it finds wrong may be why the link is not running */
} checks[] = {
	{ "file", doctor_check_file, true },       /* the link file is good */
	{ "service", doctor_check_service, true }, /* the link runs and answers */
	{ "reload", doctor_check_reload, true },   /* what runs is what the file says */
	{ "device", doctor_check_device, true },   /* /dev/net/tun is there */
	{ "cipher", doctor_check_cipher, true },   /* what the file asks for can be done here */
	{ "clock", doctor_check_clock, false },    /* the clock is not behind */
	{ "others", doctor_check_others, true },   /* no other link of this host is in the way */
	{ "port", doctor_check_port, true },       /* the UDP port is the link's, or free */
	{ "interface", doctor_check_interface, true }, /* it is there, up, and has its addresses */
	{ "routes", doctor_check_routes, false },      /* AllowedIPs make sense and lead into it */
	{ "endpoint", doctor_check_endpoint, false },  /* it is known where the peer is */
	{ "way", doctor_check_way, false },            /* there is a way to the peer, wide enough */
	{ "firewall", doctor_check_firewall, false },  /* this host lets the link's UDP pass */
	{ "sources", doctor_check_sources, false },    /* nor drops packets for their sources */
	{ "nat", doctor_check_nat, false },            /* a NAT does not forget the link */
	{ "inside", doctor_check_inside, false },      /* the peer answers through the link */
	{ "peer", doctor_check_peer, false },       /* its host answers, if there is no session */
	{ "session", doctor_check_session, false }, /* what the link itself knows */
	{ "drops", doctor_check_drops, false },     /* what it has dropped */
};

static int open_nl(const char *namespace, struct netlink *ret)
{
	return namespace ? netns_open_netlink(namespace, ret) : netlink_open(ret);
}

/* What becomes known only when the file is read, which is the first check. */
static void look_around(struct doctor *doctor)
{
	doctor->mark = (uint32_t)json_integer_value(json_object_get(doctor->status.json, "fwmark"));
	if (!doctor->has_conf)
		return;
	if (!doctor->mark)
		doctor->mark = doctor->conf.fwmark;
	if (doctor->conf.namespace && open_nl(doctor->conf.namespace, &doctor->inner_nl) < 0)
		doctor->inner_nl = (struct netlink)NETLINK_NULL;
}

static void run_checks(struct doctor *doctor)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		doctor->check = checks[i].name;
		doctor->is_only_suspect = !doctor->is_running && !checks[i].hinders_start;
		checks[i].run(doctor);
		if (i == 0)
			look_around(doctor);
	}
}

static bool has_failure(const struct doctor_findings *findings)
{
	const struct doctor_finding *verdict = doctor_verdict(findings);

	return verdict && verdict->level > DOCTOR_WARN;
}

static enum exit_code examine(struct doctor *doctor, bool wants_json)
{
	enum exit_code code;

	if (conf_link_init(&doctor->conf) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	if (netlink_open(&doctor->nl) < 0) {
		fputs("vpnd: the kernel does not answer questions about the network\n", stderr);
		conf_link_deinit(&doctor->conf);
		return EXIT_SYSTEM;
	}
	status_ask(STATUS_DIR, doctor->name, &doctor->status);
	doctor->is_running = doctor->status.error == 0;
	run_checks(doctor);
	if (wants_json)
		doctor_print_json(doctor, stdout);
	else
		doctor_print(doctor, terminal_has_colours(), stdout);
	code = has_failure(&doctor->findings) ? EXIT_UNAVAILABLE : EXIT_DONE;
	doctor_findings_deinit(&doctor->findings);
	status_answer_deinit(&doctor->status);
	netlink_close(&doctor->inner_nl);
	netlink_close(&doctor->nl);
	conf_link_deinit(&doctor->conf);
	return fflush(stdout) == 0 ? code : EXIT_SYSTEM;
}

int cmd_doctor(int argc, char **argv)
{
	static const char usage[] = "doctor [-c HOST-FILE] [--json] LINK|PATH";
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct doctor doctor = { .host_path = HOST_FILE_PATH,
				 .is_root = geteuid() == 0,
				 .nl = NETLINK_NULL,
				 .inner_nl = NETLINK_NULL };
	bool wants_json = false;
	const char *reason;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'j')
			wants_json = true;
		else if (option == 'c')
			doctor.host_path = optarg;
		else
			return cmd_usage(usage);
	}
	if (optind + 1 != argc)
		return cmd_usage(usage);
	if (!paths_link_file(argv[optind], doctor.path, &reason) ||
	    !paths_link_name(doctor.path, doctor.name, &reason)) {
		fprintf(stderr, "vpnd: the argument of `vpnd doctor` %s\n", reason);
		return EXIT_USAGE;
	}
	return (int)examine(&doctor, wants_json);
}
