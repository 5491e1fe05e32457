/*
 * The real wg(8) against the server, with wireguard-go beside it: every command is given to both
 * and must print, and end with, the same. It runs in a network namespace and under a /run of its
 * own. Skipped where the rights, wg or wireguard-go are missing.
 */
#include "tests/unit/uapi_fake.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/keytext.h"
#include "common/nsec.h"

extern char **environ;

#define OURS   "wgvpnd"
#define THEIRS "wggo"
/* Answers of megabytes; enough for 130,000 AllowedIPs. */
#define OUTPUT_MAX (8 * 1024 * 1024)

static pid_t our_pid = -1, their_pid = -1;
static char key_a[KEYTEXT_LEN + 1], key_b[KEYTEXT_LEN + 1], secret[KEYTEXT_LEN + 1],
	psk[KEYTEXT_LEN + 1];

/* The process that serves our side, until its socket is removed. */
static void serve(void)
{
	struct uapi_server server;
	struct fake fake = { .stop_when_gone = ev_default_loop(EVFLAG_NOENV) };
	int fd = uapi_listen(UAPI_DIR, OURS, UAPI_MODE, UAPI_DIR);

	if (conf_link_init(&fake.conf) < 0)
		_exit(1);
	uapi_server_init(&server);
	if (uapi_server_start(&server, fake.stop_when_gone, fd, &fake_ops, &fake) < 0)
		_exit(1);
	ev_run(fake.stop_when_gone, 0);
	uapi_server_stop(&server, false);
	conf_link_deinit(&fake.conf);
	_exit(fake.n_gone == 1 ? 0 : 2);
}

static bool wait_for(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	for (int i = 0; i < 1000; i++) {
		if (access(path, F_OK) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void write_file(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static bool start_theirs(void)
{
	char *argv[] = { (char[]) { "wireguard-go" }, (char[]) { "-f" }, (char[]) { THEIRS },
			 NULL };
	posix_spawn_file_actions_t actions;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&their_pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		their_pid = -1;
	return r == 0 && wait_for(UAPI_DIR "/" THEIRS ".sock");
}

static bool has_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	return WEXITSTATUS(pclose(popen(command, "r"))) == 0;
}

static const char *why_skipped;

static int set_up_all(void **state)
{
	struct key key;

	(void)state;
	if (!has_program("wg") || !has_program("wireguard-go"))
		why_skipped = "wg or wireguard-go is not there";
	else if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
		 mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		 mount("none", "/run", "tmpfs", 0, NULL) < 0)
		why_skipped = "namespaces take root";
	if (why_skipped)
		return 0;
	our_pid = fork();
	if (our_pid == 0)
		serve();
	if (!wait_for(UAPI_DIR "/" OURS ".sock"))
		return -1;
	if (!start_theirs())
		why_skipped = "wireguard-go does not start here";
	key = key_of(0xa1);
	keytext_encode(&key, key_a);
	key = key_of(0xb2);
	keytext_encode(&key, key_b);
	key = key_of(0x48);
	keytext_encode(&key, secret);
	key = key_of(0x77);
	keytext_encode(&key, psk);
	write_file("/run/secret", secret);
	write_file("/run/psk", psk);
	write_file("/run/empty.conf", "[Interface]\nListenPort = 4400\n");
	return 0;
}

/* The removal of a socket ends either side, too, and their interface goes with it. */
static int tear_down_all(void **state)
{
	int status = 0;

	(void)state;
	if (our_pid < 0)
		return 0;
	unlink(UAPI_DIR "/" OURS ".sock");
	unlink(UAPI_DIR "/" THEIRS ".sock");
	if (their_pid > 0) {
		kill(their_pid, SIGTERM);
		waitpid(their_pid, NULL, 0);
	}
	return waitpid(our_pid, &status, 0) == our_pid && status == 0 ? 0 : -1;
}

/* What a command printed and how it ended, for one side; the interface's name is made "IF". */
static char *run_one(const char *interface, const char *command)
{
	char *text = malloc(OUTPUT_MAX), full[512];
	size_t len = 0, n;
	FILE *stream;

	assert_non_null(text);
	/* In the command, "@" stands for the interface. */
	n = strcspn(command, "@");
	snprintf(full, sizeof(full), "wg %.*s%s%s 2>&1", (int)n, command,
		 command[n] ? interface : "", command[n] ? command + n + 1 : "");
	stream = popen(full, "r");
	assert_non_null(stream);
	while ((n = fread(text + len, 1, OUTPUT_MAX - 64 - len, stream)) > 0)
		len += n;
	snprintf(text + len, 64, "[ends with %d]", WEXITSTATUS(pclose(stream)));
	for (char *name = text; (name = strstr(name, interface));) {
		memcpy(name, "IF", 2);
		memmove(name + 2, name + strlen(interface), strlen(name + strlen(interface)) + 1);
	}
	return text;
}

/* Runs a command on both sides and compares. */
static void both(const char *command)
{
	char *ours = run_one(OURS, command), *theirs = run_one(THEIRS, command);

	if (strcmp(ours, theirs) != 0)
		fail_msg("wg %s\nours: %.3000s\ntheirs: %.3000s", command, ours, theirs);
	free(ours);
	free(theirs);
}

/* What our side alone prints must have this in it. */
static void ours_says(const char *command, const char *part)
{
	char *text = run_one(OURS, command);

	if (!strstr(text, part))
		fail_msg("wg %s: no \"%s\" in %.3000s", command, part, text);
	free(text);
}

static void both_show_the_same(void)
{
	static const char *const forms[] = {
		"show @",
		"show @ public-key",
		"show @ private-key",
		"show @ listen-port",
		"show @ fwmark",
		"show @ peers",
		"show @ preshared-keys",
		"show @ endpoints",
		"show @ allowed-ips",
		"show @ latest-handshakes",
		"show @ transfer",
		"show @ persistent-keepalive",
		"show @ dump",
		"showconf @",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		both(forms[i]);
}

/* A change on both sides that must work, and all that can be seen of it. "KEY" stands for `key`. */
static void change(const char *format, const char *key)
{
	const char *mark = strstr(format, "KEY");
	char command[512], *text;

	snprintf(command, sizeof(command), "%.*s%s%s",
		 (int)(mark ? mark - format : (ptrdiff_t)strlen(format)), format, mark ? key : "",
		 mark ? mark + 3 : "");
	text = run_one(OURS, command);
	if (!strstr(text, "[ends with 0]"))
		fail_msg("wg %s: %s", command, text);
	free(text);
	free(run_one(THEIRS, command));
	both_show_the_same();
}

static void need_both(void)
{
	if (why_skipped) {
		print_message("skipped: %s\n", why_skipped);
		skip();
	}
}

/* Both begin here, with neither key nor peer. The port is named throughout: any port would be
   another one on either side. */
static void nothing_is_set(void **state)
{
	(void)state;
	need_both();
	change("set @ listen-port 4400", NULL);
	ours_says("show interfaces", "IF");
	ours_says("show interfaces", THEIRS);
}

static void everything_is_set_by_hand(void **state)
{
	(void)state;
	need_both();
	change("set @ private-key /run/secret", NULL);
	change("set @ listen-port 4500 fwmark 0x10", NULL);
	change("set @ peer KEY", key_a);
	change("set @ peer KEY preshared-key /run/psk", key_a);
	change("set @ peer KEY endpoint 192.0.2.1:51820", key_a);
	change("set @ peer KEY endpoint [2001:db8::1]:9", key_a);
	change("set @ peer KEY persistent-keepalive 25", key_a);
	change("set @ peer KEY persistent-keepalive off", key_a);
	change("set @ peer KEY allowed-ips 10.1.2.3/16,fd00::1/64,0.0.0.0/0", key_a);
	change("set @ peer KEY allowed-ips 192.0.2.0/24,10.1.0.0/16", key_a);
	change("set @ peer KEY allowed-ips \"\"", key_a);
	change("set @ peer KEY preshared-key /dev/null", key_a);
	change("set @ fwmark off listen-port 4501", NULL);
	change("set @ peer KEY remove", key_b);
	change("set @ peer KEY remove", key_a);
	change("set @ private-key /dev/null", NULL);
	change("set @ fwmark 0 listen-port 4400", NULL);
}

static void everything_is_set_by_file(void **state)
{
	char text[1024];

	(void)state;
	need_both();
	snprintf(text, sizeof(text),
		 "[Interface]\nPrivateKey = %s\nListenPort = 4500\nFwMark = 7\n[Peer]\n"
		 "PublicKey = %s\nPresharedKey = %s\nAllowedIPs = 10.1.0.0/16, fd00::/64\n"
		 "Endpoint = 192.0.2.1:51820\nPersistentKeepalive = 25\n",
		 secret, key_a, psk);
	write_file("/run/whole.conf", text);
	change("setconf @ /run/whole.conf", NULL);
	change("setconf @ /run/whole.conf", NULL);
	/* Its own output is a file again. */
	both("showconf @ > /run/shown.conf");
	change("setconf @ /run/shown.conf", NULL);
	change("syncconf @ /run/shown.conf", NULL);

	snprintf(text, sizeof(text), "[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.0/16\n", key_a);
	write_file("/run/more.conf", text);
	change("addconf @ /run/more.conf", NULL);
	/* No mark, PSK, keepalive or AllowedIPs: all of them go. */
	snprintf(text, sizeof(text),
		 "[Interface]\nPrivateKey = %s\nListenPort = 4500\n[Peer]\nPublicKey = %s\n",
		 secret, key_a);
	write_file("/run/less.conf", text);
	change("syncconf @ /run/less.conf", NULL);
	/* Another peer, in the order in which syncconf says it. */
	snprintf(text, sizeof(text),
		 "[Interface]\nPrivateKey = %s\nListenPort = 4500\n[Peer]\nPublicKey = "
		 "%s\nAllowedIPs = ::/0\n",
		 secret, key_b);
	write_file("/run/other.conf", text);
	change("syncconf @ /run/other.conf", NULL);
	change("setconf @ /run/less.conf", NULL);
	change("setconf @ /run/empty.conf", NULL);
}

/* Sends bytes to one side and returns what it answers first, up to the empty line. */
static const char *ask(const char *interface, const char *request, char answer[static 256])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t len = 0;
	ssize_t n = 1;

	snprintf(addr.sun_path, sizeof(addr.sun_path), UAPI_DIR "/%s.sock", interface);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	shutdown(fd, SHUT_WR);
	while (n > 0 && len < 255) {
		n = recv(fd, answer + len, 255 - len, 0);
		len += n > 0 ? (size_t)n : 0;
		answer[len] = '\0';
		if (strstr(answer, "\n\n"))
			break;
	}
	answer[len] = '\0';
	close(fd);
	return answer;
}

static const char *const requests[] = {
	"set=1\n\n",
	"set=1\n",
	"set=1\nfwmark=5\n",
	"set=2\n\n",
	"get\n\n",
	"set=1\nlisten_port\n\n",
	"set=1\nlisten_port=\n\n",
	"set=1\nlisten_port=65536\n\n",
	"set=1\nlisten_port=0x10\n\n",
	"set=1\nlisten_port=+1\n\n",
	"set=1\nfwmark=4294967296\n\n",
	"set=1\nfwmark=007\n\n",
	"set=1\nprivate_key=00\n\n",
	"set=1\nprivate_key=" NO_KEY "\n\n",
	"set=1\nreplace_peers=false\n\n",
	"set=1\nremove=true\n\n",
	"set=1\nprotocol_version=1\n\n",
	"set=1\n=\n\n",
	"set=1\n = \n\n",
	"set=1\npublic_key=" KEY_A "\n\n",
	"set=1\npublic_key=" KEY_A "\nfwmark=1\n\n",
	"set=1\npublic_key=" KEY_A "\nprotocol_version=2\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=far.example:1\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=192.0.2.1\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=192.0.2.256:1\n\n",
	"set=1\npublic_key=" KEY_A "\nendpoint=192.0.2.1:1=\n\n",
	"set=1\npublic_key=" KEY_A "\npersistent_keepalive_interval=65536\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.1\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.0/33\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.0/\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=10.0.0.0/08\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=010.0.0.0/8\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=::ffff:10.0.0.0/104\n\n",
	"set=1\npublic_key=" KEY_A "\nallowed_ip=fe80::%lo/64\n\n",
	"set=1\npublic_key=" KEY_A "\nreplace_allowed_ips=1\n\n",
	"set=1\npublic_key=" KEY_A "\npreshared_key=\n\n",
	"set=1\npublic_key=" KEY_A "\nupdate_only=\n\n",
	"set=1\npublic_key=" KEY_A "\nremove=true\nendpoint=x\n\n",
	"set=1\npublic_key=" KEY_A "\nremove=true\nallowed_ip=x\n\n",
	"set=1\npublic_key=" KEY_A "\nremove=true\nupdate_only=x\n\n",
	"set=1\nreplace_peers=true\nlisten_port=4400\nfwmark=0\n\n",
};

/* Beyond what wg can say: both sides answer the same number. */
static void answers_to_anything_agree(void **state)
{
	char ours[256], theirs[256];
	size_t n_different = 0;

	(void)state;
	need_both();
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(ask(OURS, requests[i], ours), ask(THEIRS, requests[i], theirs)) != 0) {
			print_error("%sours: %stheirs: %s", requests[i], ours, theirs);
			n_different++;
		}
	}
	assert_int_equal(n_different, 0);
	both_show_the_same();
}

static void a_second_peer_is_refused_and_said_so(void **state)
{
	char command[256], text[512];

	(void)state;
	need_both();
	snprintf(command, sizeof(command), "set @ peer %s allowed-ips 10.1.0.0/16", key_a);
	ours_says(command, "[ends with 0]");
	snprintf(command, sizeof(command), "set @ fwmark 99 peer %s allowed-ips 10.1.0.0/16",
		 key_b);
	ours_says(command, "Unable to modify interface: Too many users\n[ends with 1]");
	snprintf(text, sizeof(text), "[Peer]\nPublicKey = %s\n", key_b);
	write_file("/run/second.conf", text);
	ours_says("addconf @ /run/second.conf", "Too many users");
	/* Nothing of it is there. */
	ours_says("show @ fwmark", "off\n");
	ours_says("show @ allowed-ips", "10.1.0.0/16\n[ends");
	ours_says("set @ private-key /run/secret", "[ends with 0]");
	ours_says("setconf @ /run/empty.conf", "[ends with 0]");
}

static void many_allowed_ips_take_seconds_at_most(void **state)
{
	enum { MANY = 130000 };
	FILE *stream;
	nsec_t begun;
	char *text;
	size_t n = 0;

	(void)state;
	need_both();
	stream = fopen("/run/many.conf", "w");
	assert_non_null(stream);
	fprintf(stream, "[Interface]\nPrivateKey = %s\nListenPort = 4500\n[Peer]\nPublicKey = %s\n",
		secret, key_a);
	for (unsigned int i = 0; i < MANY; i++)
		fprintf(stream, "AllowedIPs = 10.%u.%u.%u/32\n", i >> 16, i >> 8 & 255, i & 255);
	assert_int_equal(fclose(stream), 0);
	begun = nsec_boottime();
	ours_says("setconf @ /run/many.conf", "[ends with 0]");
	ours_says("syncconf @ /run/many.conf", "[ends with 0]");
	text = run_one(OURS, "show @ allowed-ips");
	print_message("setconf, syncconf and show of %d AllowedIPs: %.1f s\n", MANY,
		      (double)(nsec_boottime() - begun) / 1e9);
	for (const char *c = text; *c; c++)
		n += *c == '/';
	assert_int_equal(n, MANY);
	free(text);
	assert_true(nsec_boottime() - begun < 20 * NSEC_PER_SEC);
	ours_says("setconf @ /run/empty.conf", "[ends with 0]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_set),
		cmocka_unit_test(everything_is_set_by_hand),
		cmocka_unit_test(everything_is_set_by_file),
		cmocka_unit_test(answers_to_anything_agree),
		cmocka_unit_test(a_second_peer_is_refused_and_said_so),
		cmocka_unit_test(many_allowed_ips_take_seconds_at_most),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
