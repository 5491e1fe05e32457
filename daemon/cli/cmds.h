/*
 * The subcommands. Each gets its own arguments, argv[0] being its name, and returns an exit code.
 */
#ifndef CLI_CMDS_H
#define CLI_CMDS_H

/*! `vpnd run [-v] [-c HOST-FILE] LINK|PATH`: the service, in the foreground, until a signal ends
 * it. */
int cmd_run(int argc, char **argv);

/*! `vpnd run --uapi [-f] [-v] [-c HOST-FILE] IFNAME`, and the same under the name wireguard-go: a
 * link that is configured by the wg protocol alone, in the background. */
int cmd_run_uapi(int argc, char **argv);

/*! `vpnd check [--diff] LINK|PATH…`: every finding in the files, or what a reload would change. */
int cmd_check(int argc, char **argv);

/*! `vpnd cleanup LINK|PATH`: takes back what a killed process of the link has left. */
int cmd_cleanup(int argc, char **argv);

/*! `vpnd genkey`: a new private key on stdout. */
int cmd_genkey(int argc, char **argv);

/*! `vpnd pubkey`: the public key of the private key on stdin. */
int cmd_pubkey(int argc, char **argv);

/*! `vpnd genpsk`: a new preshared key on stdout. */
int cmd_genpsk(int argc, char **argv);

/*! `vpnd new LINK --here HOST[:PORT] --there HOST[:PORT] [--net PREFIX]... [--tap] [--out DIR]`:
 * both hosts' files of a new link. Signals wait until the files are written. */
int cmd_new(int argc, char **argv);

/*! `vpnd export LINK|PATH --wireguard [--here HOST[:PORT]] [--private-key-file FILE] [--qr]`: the
 * file for a stock WireGuard at the far end. */
int cmd_export(int argc, char **argv);

/*! `vpnd doctor [--json] LINK|PATH`: why a link does not work. */
int cmd_doctor(int argc, char **argv);

/*! `vpnd show [LINK] [--json | --watch]`: what the links of this host do. */
int cmd_show(int argc, char **argv);

/*! `vpnd metrics [--prometheus | --http]`: the figures of all links for a monitoring system. */
int cmd_metrics(int argc, char **argv);

/*! `vpnd speed`: how fast each cipher is on this processor. */
int cmd_speed(int argc, char **argv);

/*! Lets SIGTERM and SIGINT through, which main() holds back from its first line on. */
void cmd_unblock_signals(void);

/*! Says how a command is called, on stderr. \return EXIT_USAGE */
int cmd_usage(const char *usage);

#endif
