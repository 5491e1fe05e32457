/*
 * vpnd: one program, one table of subcommands.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/parse.h"
#include "daemon/cli/cmds.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	bool handles_signals; /* lets them through by itself */
	const char *arguments;
	const char *help;
} commands[] = {
	{ "run", cmd_run, true, "[-v] [-c HOST-FILE] LINK|PATH", "run a link in the foreground" },
	{ "check", cmd_check, false, "[-c HOST-FILE] [--diff] LINK|PATH...",
	  "print every finding in the files, or what a reload would change" },
	{ "doctor", cmd_doctor, false, "[-c HOST-FILE] [--json] LINK|PATH",
	  "find out why a link does not work" },
	{ "show", cmd_show, false, "[LINK] [--json | --watch]", "show what the links do" },
	{ "metrics", cmd_metrics, false, "[--prometheus | --http]",
	  "print all figures for monitoring" },
	{ "cleanup", cmd_cleanup, false, "LINK|PATH", "take back what a killed link has left" },
	{ "genkey", cmd_genkey, false, "", "write a new private key to stdout" },
	{ "pubkey", cmd_pubkey, false, "", "read a private key from stdin, write its public key" },
	{ "genpsk", cmd_genpsk, false, "", "write a new preshared key to stdout" },
	{ "new", cmd_new, true, "LINK --here HOST --there HOST", "write both files of a new link" },
	{ "export", cmd_export, false, "LINK --wireguard [--qr]",
	  "print the file for a WireGuard at the far end" },
	{ "speed", cmd_speed, false, "", "show how fast each cipher is on this processor" },
};

static void print_help(FILE *stream)
{
	fputs("vpnd joins two hosts with one encrypted link that speaks the WireGuard protocol.\n\n"
	      "Usage:\n",
	      stream);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stream, "  vpnd %-7s %-29s  %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("  vpnd run --uapi [-f] IFNAME             an interface for `wg` to configure\n"
	      "  vpnd --version | --help | COMMAND --help\n\n"
	      "LINK is a name: the link file is /etc/vpnd/LINK.conf, the interface is called "
	      "LINK.\n"
	      "An argument with a slash is the path of a link file.\n"
	      "Exit codes: 0 done, 64 usage, 69 something outside is missing or taken, 71 the\n"
	      "system refused, 77 a right is missing, 78 the file is wrong.\n",
	      stream);
}

/* Which command is only asked how it is called; each answers arguments that it does not know by
 * cmd_usage(). */
static const struct command *asked_for_help;

int cmd_usage(const char *usage)
{
	if (asked_for_help)
		printf("usage: vpnd %s\n%s; vpnd(8) tells more\n", usage, asked_for_help->help);
	else
		fprintf(stderr, "vpnd: usage: vpnd %s\n", usage);
	return EXIT_USAGE;
}

static void stop_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
}

void cmd_unblock_signals(void)
{
	sigset_t signals;

	stop_signals(&signals);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

/* A service that is stopped while it starts ends as one that runs: the signal waits until there is
 * a handler. */
static void block_signals(void)
{
	sigset_t signals;

	stop_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Whoever closed 0, 1 or 2 must not get our log into a socket that took the number. */
static void reopen_standard_fds(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *nearest;
	char escaped[64];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	nearest = parse_nearest(name, names, ARRAY_SIZE(names));
	fprintf(stderr, "vpnd: unknown command \"%s\"",
		parse_escape(name, strlen(name), escaped, sizeof(escaped)));
	if (nearest)
		fprintf(stderr, "; did you mean \"%s\"", nearest);
	fputs("? `vpnd --help` lists the commands\n", stderr);
	return EXIT_USAGE;
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char help[] = "--help";
	char *asking[] = { argv[0], help, NULL };

	if (!command->handles_signals)
		cmd_unblock_signals();
	if (argc != 2 || !is_help(argv[1]))
		return command->run(argc, argv);
	asked_for_help = command;
	opterr = 0; /* getopt(3) would call it an unknown option */
	(void)command->run(2, asking);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}

/* What starts wireguard-go can start us in its place, by a link of that name. */
static bool is_called_wireguard_go(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && strcmp(slash ? slash + 1 : path, "wireguard-go") == 0;
}

static bool is_version(int argc, char **argv)
{
	return argc >= 2 && strcmp(argv[1], "--version") == 0;
}

int main(int argc, char **argv)
{
	char help[] = "--help";

	block_signals();
	reopen_standard_fds();
	if (sodium_init() < 0) {
		fputs("vpnd: libsodium does not start on this machine\n", stderr);
		return EXIT_SYSTEM;
	}
	if (is_called_wireguard_go(argv[0]) && !is_version(argc, argv))
		return cmd_run_uapi(argc, argv);
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	/* `vpnd help run` is `vpnd run --help`. */
	if (argc == 3 && strcmp(argv[1], "help") == 0) {
		argv[1] = argv[2];
		argv[2] = help;
	}
	if (is_help(argv[1]) || (argc == 2 && strcmp(argv[1], "help") == 0)) {
		print_help(stdout);
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
	}
	if (is_version(argc, argv)) {
		printf("vpnd %s, libsodium %s\n", VPND_VERSION, sodium_version_string());
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}
