/*
 * `vpnd export`: the file that a stock WireGuard at the far end needs, on stdout; as a QR code for
 * a phone if asked for. What is left open in it, and what the far end will not be able to do, is
 * said on stderr.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/keytext.h"
#include "common/parse.h"
#include "common/secret.h"
#include "conf/host_file.h"
#include "conf/link_file.h"
#include "conf/paths.h"
#include "conf/trusted_file.h"
#include "daemon/cli/cmds.h"
#include "daemon/cli/export_writer.h"
#include "daemon/cli/host_arg.h"
#include "daemon/cli/load.h"
#include "daemon/cli/qr.h"
#include "daemon/proto/primitives.h"

static const char usage[] = "export LINK|PATH --wireguard [--here HOST[:PORT]] "
			    "[--private-key-file FILE] [--qr] [-c HOST-FILE]";

/* What the command line says. */
struct request {
	const char *link;
	const char *host_path;
	const char *here;     /* NULL: not given */
	const char *key_path; /* NULL: not given */
	bool is_wireguard;
	bool is_qr;
};

/* Everything that the command works on. */
struct export_job {
	struct conf_link link;
	struct endpoint_spec address;
	struct key *private_key; /* from secret_alloc() */
	struct secret_text text;
};

static enum exit_code take_arguments(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{ "wireguard", no_argument, NULL, 'w' },
		{ "here", required_argument, NULL, 'h' },
		{ "private-key-file", required_argument, NULL, 'k' },
		{ "qr", no_argument, NULL, 'q' },
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'w')
			request->is_wireguard = true;
		else if (option == 'h')
			request->here = optarg;
		else if (option == 'k')
			request->key_path = optarg;
		else if (option == 'q')
			request->is_qr = true;
		else if (option == 'c')
			request->host_path = optarg;
		else
			return (enum exit_code)cmd_usage(usage);
	}
	if (optind + 1 != argc || !request->is_wireguard)
		return (enum exit_code)cmd_usage(usage);
	request->link = argv[optind];
	if (request->is_qr && request->key_path == NULL) {
		fputs("vpnd: --qr needs --private-key-file, because nobody can fill in a key in a "
		      "QR code; make the far end's key pair with `vpnd genkey`\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (request->is_qr && !qr_is_available()) {
		fputs("vpnd: this build cannot make QR codes, because libqrencode was not there "
		      "when it was built\n",
		      stderr);
		return EXIT_UNAVAILABLE;
	}
	return EXIT_DONE;
}

/* The host's defaults count as well: a Cipher may come from there. */
static enum exit_code load_host_defaults(const char *path, struct conf_link *link)
{
	struct conf_host host;
	enum exit_code code = load_host(path, &host);

	if (code == EXIT_DONE)
		conf_host_apply_defaults(&host, link);
	return code;
}

static enum exit_code load_link(const struct request *request, struct conf_link *link)
{
	struct diag diag = DIAG_NULL(NULL);
	char path[PATH_MAX];
	const char *reason;
	enum exit_code code;

	if (!paths_link_file(request->link, path, &reason)) {
		fprintf(stderr, "vpnd: the argument of `vpnd export` %s\n", reason);
		return EXIT_USAGE;
	}
	if (conf_link_init(link) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	diag.file = path;
	link_file_load(path, link, &diag);
	code = load_end(&diag);
	return code != EXIT_DONE ? code : load_host_defaults(request->host_path, link);
}

/* There is nothing that a stock WireGuard could do with such a link. */
static enum exit_code check_mode(const struct conf_link *link)
{
	if (link->mode == CONF_MODE_TUN)
		return EXIT_DONE;
	fprintf(stderr,
		"vpnd: link %s: a stock WireGuard carries packets only, and this end has Mode = "
		"tap: set Mode = tun here, or run vpnd at the far end\n",
		link->name);
	return EXIT_CONFIG;
}

static enum exit_code take_address(const char *here, struct export_job *job)
{
	char escaped[128];
	const char *reason;

	if (host_arg_parse(here, job->link.listen_port, &job->address, &reason))
		return EXIT_DONE;
	if (host_arg_parse(here, HOST_ARG_PORT, &job->address, &reason))
		reason = "has no port, and the link file has no ListenPort, so that this host gets "
			 "another port at every start; set one there";
	fprintf(stderr, "vpnd: --here %s %s\n",
		parse_escape(here, strlen(here), escaped, sizeof(escaped)), reason);
	return EXIT_USAGE;
}

/* A key in a file as `vpnd genkey` writes it, that must be the far end's. */
static void check_private_key(const char *text, size_t len, const struct export_job *job,
			      struct diag *diag)
{
	static const char white_space[] = " \t\r\n";
	struct key public_key;

	while (len > 0 && memchr(white_space, text[len - 1], sizeof(white_space) - 1))
		len--;
	if (!keytext_decode(text, len, job->private_key)) {
		diag_error(diag, 0,
			   "the file is not a private key: it must be %d characters of base64, as "
			   "`vpnd genkey` writes them",
			   KEYTEXT_LEN);
		return;
	}
	prim_dh_public(&public_key, job->private_key);
	if (!key_equal(&public_key, &job->link.peer_key))
		diag_error(diag, 0,
			   "the private key is not the far end's: PublicKey of the link file is "
			   "another. Put there what `vpnd pubkey` says of this key, or give the "
			   "right one");
}

static enum exit_code load_private_key(const char *path, struct export_job *job)
{
	struct diag diag = DIAG_NULL(path);
	size_t len;
	char *text;

	job->private_key = secret_alloc(sizeof(*job->private_key));
	if (job->private_key == NULL) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	text = trusted_file_read_secret(path, &diag, &len);
	if (text != NULL)
		check_private_key(text, len, job, &diag);
	secret_free(text);
	return load_end(&diag);
}

/* What is left open, or cannot be. The missing key is what everybody expects. */
static void warn(unsigned int gaps, const char *link)
{
	static const struct {
		unsigned int gap;
		const char *text;
	} warnings[] = {
		{ EXPORT_WRITER_CIPHER, "a stock WireGuard knows ChaCha20-Poly1305 only, and "
					"Cipher names another one: the "
					"link cannot come up until Cipher = auto is set here" },
		{ EXPORT_WRITER_NO_ADDRESS,
		  "the far end's address inside the link is left open, because AllowedIPs does not "
		  "name it as a /32 or /128" },
		{ EXPORT_WRITER_NO_CALLER,
		  "neither end knows where the other is: give --here HOST, or set Endpoint in the "
		  "link file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
		if ((gaps & warnings[i].gap) != 0)
			fprintf(stderr, "vpnd: warning: link %s: %s\n", link, warnings[i].text);
	}
}

static enum exit_code print_qr(const struct secret_text *text)
{
	int r = qr_print(text->bytes, stdout, isatty(STDOUT_FILENO) == 1);

	if (r == 0)
		return EXIT_DONE;
	if (r == -ERANGE)
		fprintf(stderr,
			"vpnd: the file has %zu bytes, which is more than a QR code holds; print "
			"it without --qr\n",
			text->len);
	else
		fprintf(stderr, "vpnd: cannot print the QR code: %s\n", strerror(-r));
	return r == -ERANGE ? EXIT_CONFIG : EXIT_SYSTEM;
}

static enum exit_code print_file(const struct secret_text *text)
{
	int r = secret_text_write(text, STDOUT_FILENO);

	if (r < 0)
		fprintf(stderr, "vpnd: cannot write the file: %s\n", strerror(-r));
	return r == 0 ? EXIT_DONE : EXIT_SYSTEM;
}

static enum exit_code print_export(const struct request *request, struct export_job *job)
{
	const struct export_writer writer = {
		.link = &job->link,
		.private_key = job->private_key,
		.address = request->here != NULL ? &job->address : NULL,
		.has_comments = !request->is_qr,
	};

	if (secret_text_init(&job->text, EXPORT_WRITER_SIZE) < 0) {
		fputs("vpnd: not enough memory\n", stderr);
		return EXIT_SYSTEM;
	}
	warn(export_writer_file(&writer, &job->text), job->link.name);
	if (job->text.is_cut) {
		fputs("vpnd: the link has too many addresses for an export\n", stderr);
		return EXIT_CONFIG;
	}
	return request->is_qr ? print_qr(&job->text) : print_file(&job->text);
}

int cmd_export(int argc, char **argv)
{
	struct request request = { .host_path = HOST_FILE_PATH };
	static struct export_job job;
	enum exit_code code = take_arguments(&request, argc, argv);

	if (code == EXIT_DONE)
		code = load_link(&request, &job.link);
	if (code == EXIT_DONE)
		code = check_mode(&job.link);
	if (code == EXIT_DONE && request.here != NULL)
		code = take_address(request.here, &job);
	if (code == EXIT_DONE && request.key_path != NULL)
		code = load_private_key(request.key_path, &job);
	if (code == EXIT_DONE)
		code = print_export(&request, &job);
	secret_text_deinit(&job.text);
	secret_free(job.private_key);
	conf_link_deinit(&job.link);
	return (int)code;
}
