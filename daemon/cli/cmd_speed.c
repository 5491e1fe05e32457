/* `vpnd speed`: what each cipher does on this processor, and which of them auto would offer. */
#include <stdio.h>

#include "common/err.h"
#include "daemon/cli/cmds.h"
#include "daemon/core/suites.h"

/* Long enough for a steady figure, short enough to wait for. */
#define DURATION (100 * NSEC_PER_MSEC)

static const size_t lengths[] = { 64, 512, 1420, 8192 };

static void print_suite(enum cipher_suite suite)
{
	const struct cipher *cipher = cipher_get(suite);

	printf("%-18s", cipher->name);
	if (!cipher->is_available()) {
		puts("  not available here");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		printf("%10.2f", suites_measure(suite, lengths[i], DURATION) / 1e9);
	putchar('\n');
}

int cmd_speed(int argc, char **argv)
{
	struct suites suites;

	(void)argv;
	if (argc != 1)
		return cmd_usage("speed");
	printf("Sealing with one core, in GB/s, by the length of the packet (libsodium %s):\n\n"
	       "%-18s",
	       sodium_version_string(), "bytes");
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		printf("%10zu", lengths[i]);
	putchar('\n');
	for (enum cipher_suite suite = 0; suite < N_CIPHERS; suite++)
		print_suite(suite);

	if (!suites_choose(CONF_CIPHER_AUTO, true, &suites))
		return EXIT_UNAVAILABLE;
	fputs("\nCipher = auto offers a vpnd at the far end: ", stdout);
	for (size_t i = 0; i < suites.n; i++)
		printf("%s, ", cipher_get(suites.items[i])->name);
	printf("%s\n", cipher_get(CIPHER_CHACHA20_POLY1305)->name);
	return EXIT_DONE;
}
